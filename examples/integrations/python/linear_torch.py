# SPDX-License-Identifier: MIT
"""Replaces the torch.nn.Linear layers of a model by ternary ones, and compares. Needs PyTorch.

    PYTHONPATH=examples/integrations/python python3 examples/integrations/python/linear_torch.py"""

import sys

import trilobit

try:
    import torch
except ImportError:
    print("skipped: there is no torch (Debian: python3-torch)")
    sys.exit(4)


class TernaryLinear(torch.nn.Module):
    """y = x w^T + bias with weights of -1, 0, 1 times a scale for each row; to run, not to train.
    x (..., in_features) on the CPU, of any float type; y has the same."""

    def __init__(self, linear, layout="ternary_2bit"):
        super().__init__()
        # NumPy sees torch's memory: nothing is copied.
        self.packed = trilobit.pack(linear.weight.detach().float().numpy(), layout, scale="row")
        self.bias = linear.bias

    def forward(self, x):
        y = torch.from_numpy(trilobit.matmul(x.detach().float().numpy(), self.packed))
        if self.bias is not None:
            y += self.bias.detach()
        return y.to(x.dtype)


def make_ternary(module):
    """Every Linear below `module`, in place; returns how many there were."""
    count = 0
    for name, child in module.named_children():
        if isinstance(child, torch.nn.Linear):
            setattr(module, name, TernaryLinear(child))
            count += 1
        else:
            count += make_ternary(child)
    return count


def main():
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(512, 1024), torch.nn.ReLU(),
                                torch.nn.Linear(1024, 64))
    # A model that was trained so: weights that are ternary already lose nothing.
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, torch.nn.Linear):
                scale = layer.weight.abs().mean()
                layer.weight.copy_((layer.weight / scale).round().clamp(-1, 1) * scale)
    x = torch.randn(16, 512)
    with torch.no_grad():
        wanted = model(x)
    floats = sum(p.numel() * 4 for p in model.parameters())
    count = make_ternary(model)
    with torch.no_grad():
        y = model(x)
    packed = sum(layer.packed.nbytes for layer in model if isinstance(layer, TernaryLinear))
    error = ((y - wanted).norm() / wanted.norm()).item()
    print(f"{count} layers, {floats} bytes of floats, {packed} bytes packed; "
          f"relative difference {error:.4f}, from activations of 8 bits")
    return 0 if error < 0.02 else 1


if __name__ == "__main__":
    sys.exit(main())
