// SPDX-License-Identifier: MIT
// Lesson 7. Enters: threads and memory of somebody else's. Leaves: a product, by these threads in
// that memory: the library starts no thread and allocates nothing.
//
// An engine has threads of its own and calls an operator on each of them: "you are thread ith of
// nth, and here is scratch memory", as ggml does. A plan knows how much memory a product needs and
// has two steps for such threads, with the engine's barrier between them.
#include <trilobit/trilobit.hpp>

#include <atomic>
#include <cstdio>
#include <memory>
#include <random>
#include <thread>
#include <vector>

int main() {
    const std::int64_t rows = 500, cols = 1024, tokens = 5;
    const int nth = 3;
    std::vector<float> weights(rows * cols), x(tokens * cols), y(tokens * rows), alone(y.size());
    std::minstd_rand bits(7);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& v : weights) v = uniform(bits);
    for (float& v : x) v = uniform(bits);
    const auto w = trilobit::pack<trilobit::layout::ternary_base3>({weights.data(), rows, cols});
    const trilobit::matrix_view<const float> in(x.data(), tokens, cols);
    const trilobit::matrix_view<float> out(y.data(), tokens, rows);

    // Q, K and V would be three products of one plan: quantised once, and run at once.
    using kernels = trilobit::kernels_for<trilobit::native_arch, trilobit::layout::ternary_base3>;
    const trilobit::context context{kernels::table};
    const trilobit::product products[] = {{w, trilobit::into(out)}};
    const auto made = trilobit::plan::of(context, products, tokens, nth);
    if (!made.ok()) return std::puts(made.error().text), 1;
    const trilobit::plan& plan = made.value();
    std::vector<std::byte> scratch(static_cast<std::size_t>(plan.bytes()) + 64);
    std::size_t room = scratch.size();
    void* memory = scratch.data();
    std::align(64, room - 64, memory, room);

    std::atomic<int> here{0};  // the barrier that an engine has
    trilobit::status quantised[nth], ran[nth];
    const auto compute = [&](int ith) {
        const auto [token, token_end] = plan.tokens_of(ith);
        quantised[ith] = plan.quantise(in, token, token_end, memory);
        for (++here; here < nth;) std::this_thread::yield();
        const auto [task, task_end] = plan.tasks_of(ith);
        ran[ith] = plan.run(task, task_end, ith, memory);
    };
    std::vector<std::thread> others;
    for (int ith = 1; ith < nth; ++ith) others.emplace_back(compute, ith);
    compute(0);
    for (std::thread& t : others) t.join();
    for (const auto& statuses : {quantised, ran})
        for (int ith = 0; ith < nth; ++ith)
            if (!statuses[ith].ok()) return std::puts(statuses[ith].text), 1;

    const auto s = trilobit::matmul(w, in, {alone.data(), tokens, rows});
    if (!s.ok()) return std::puts(s.text), 1;
    std::printf("%d threads, %lld tasks, %lld bytes: %s matmul\n", nth,
                static_cast<long long>(plan.tasks()), static_cast<long long>(plan.bytes()),
                y == alone ? "equal to" : "DIFFERENT FROM");
    return y == alone ? 0 : 1;
}
