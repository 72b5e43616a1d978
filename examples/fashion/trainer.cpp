// SPDX-License-Identifier: MIT
// Room fashion. Enters: pictures. Leaves: see trainer.hpp.
#include "fashion/trainer.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include "fashion/trainable_layer.hpp"
#include "train/elementwise.hpp"

namespace tbx::fashion {
namespace {

using floats = std::vector<float>;

class trainer {
    const picture_set& set;
    const train_options& options;
    std::vector<trainable_layer> layers;
    std::vector<floats> inputs;  // of each layer
    floats dz, dx;
    std::int64_t steps_done = 0;

    void take(std::span<const int> chosen) {
        const auto pixels = static_cast<std::size_t>(set.pixels);
        inputs.front().resize(chosen.size() * pixels);
        float* to = inputs.front().data();
        for (const int i : chosen) {
            const std::uint8_t* from = set.brightness.data() + static_cast<std::size_t>(i) * pixels;
            for (std::size_t p = 0; p < pixels; ++p) *to++ = static_cast<float>(centred(from[p]));
        }
    }

    void forward(int rows) {
        for (std::size_t k = 0; k < layers.size(); ++k) {
            layers[k].forward(inputs[k].data(), rows);
            if (k + 1 == layers.size()) break;
            const floats& z = layers[k].z;
            inputs[k + 1].resize(z.size());
            for (std::size_t i = 0; i < z.size(); ++i) inputs[k + 1][i] = z[i] >= 0 ? 1.0f : -1.0f;
        }
    }

    // Softmax and cross-entropy over the last layer's numbers; dz becomes their gradient.
    void judge(std::span<const int> chosen, epoch_report& r) {
        const floats& z = layers.back().z;
        dz.resize(z.size());
        const float share = 1.0f / static_cast<float>(chosen.size());
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            const float* row = z.data() + i * classes;
            const int label = set.labels[static_cast<std::size_t>(chosen[i])];
            const auto best = static_cast<int>(std::max_element(row, row + classes) - row);
            float p[classes], sum = 0;
            for (int k = 0; k < classes; ++k) sum += p[k] = train::exponential(row[k] - row[best]);
            for (int k = 0; k < classes; ++k)
                dz[i * classes + static_cast<std::size_t>(k)] =
                    share * (p[k] / sum - (k == label ? 1.0f : 0.0f));
            r.loss -= double{row[label] - row[best]} - train::natural_log(double{sum});
            r.accuracy += best == label;
        }
    }

    void backward(int rows, std::int64_t steps) {
        for (std::size_t k = layers.size(); k-- > 0;) {
            layers[k].backward(inputs[k].data(), dz, rows, k == 0 ? nullptr : &dx);
            if (k == 0) break;
            const floats& z = layers[k - 1].z;
            for (std::size_t i = 0; i < z.size(); ++i)
                if (std::abs(z[i]) > 1) dx[i] = 0;
            dz.swap(dx);
        }
        ++steps_done;
        // The rate falls to nothing in a straight line: signs settle.
        const double left = 1.0 - static_cast<double>(steps_done - 1) / static_cast<double>(steps);
        const double root = std::sqrt(1 - train::whole_power(0.999, steps_done));
        const auto move = static_cast<float>(double{options.lr} * left * root /
                                             (1 - train::whole_power(0.9, steps_done)));
        for (trainable_layer& l : layers) l.step(move, static_cast<float>(1e-8 * root));
    }

public:
    trainer(const picture_set& pictures, const train_options& o) : set{pictures}, options{o} {
        train::normal_deviates normal(o.seed);
        int before = set.pixels;
        std::vector<int> sizes = o.hidden;
        sizes.push_back(classes);
        for (const int size : sizes) {
            layers.emplace_back(before, size, normal);
            before = size;
        }
        inputs.resize(layers.size());
    }

    network run(const std::function<bool(const epoch_report&)>& progress) {
        std::vector<int> order(static_cast<std::size_t>(set.count));
        std::iota(order.begin(), order.end(), 0);
        std::mt19937_64 random(options.seed);
        const auto batch = static_cast<std::size_t>(std::min(options.batch, set.count));
        const std::size_t batches = order.size() / batch;  // what is left over waits for its turn
        const auto steps = static_cast<std::int64_t>(batches) * options.epochs;
        for (int epoch = 1; epoch <= options.epochs; ++epoch) {
            for (std::size_t i = order.size(); i-- > 1;)
                std::swap(order[i], order[random() % (i + 1)]);
            epoch_report r{epoch, 0, 0};
            for (std::size_t b = 0; b < batches; ++b) {
                const auto chosen = std::span<const int>(order).subspan(b * batch, batch);
                take(chosen);
                forward(static_cast<int>(batch));
                judge(chosen, r);
                backward(static_cast<int>(batch), steps);
            }
            r.loss /= static_cast<double>(batches * batch);
            r.accuracy /= static_cast<double>(batches * batch);
            if (!progress(r)) break;
        }
        // Means and deviations of many pictures, by the weights as they are at last.
        std::iota(order.begin(), order.end(), 0);
        const auto many =
            std::span<const int>(order).first(std::min<std::size_t>(10'000, order.size()));
        take(many);
        forward(static_cast<int>(many.size()));
        network n;
        for (const trainable_layer& l : layers) n.layers.push_back(l.finished());
        return n;
    }
};

}  // namespace

network train(const picture_set& pictures, const train_options& o,
              const std::function<bool(const epoch_report&)>& progress) {
    return trainer(pictures, o).run(progress);
}

}  // namespace tbx::fashion
