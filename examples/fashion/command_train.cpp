// SPDX-License-Identifier: MIT
// Room fashion: command `train`. Enters: the data set. Leaves: a network in a file.
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "fashion/commands.hpp"
#include "support/atomic_file.hpp"
#include "support/error.hpp"
#include "support/human.hpp"
#include "support/interrupt.hpp"
#include "train/threads.hpp"

namespace tbx::fashion {

int run(const train_command& c) {
    { const support::atomic_file can_be_made(c.out); }
    train::set_threads(c.threads);
    const picture_set pictures = read_pictures_of(c.data, "train");
    std::printf("%d pictures of %d pixels\n", pictures.count, pictures.pixels);
    const auto started = std::chrono::steady_clock::now();
    const support::interrupt_watch watch;
    const network n = train(pictures, c.options, [&](const epoch_report& r) {
        std::printf("epoch %d of %d  loss %.4f  %.2f %% right\n", r.epoch, c.options.epochs, r.loss,
                    100 * r.accuracy);
        std::fflush(stdout);
        return !support::interrupted();
    });
    if (support::interrupted()) return 130;
    save_network(c.out, n);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    std::printf("%s  %s  %s\n", c.out.c_str(),
                support::human_bytes(std::filesystem::file_size(c.out)).c_str(),
                support::human_duration(took.count()).c_str());
    return 0;
}

}  // namespace tbx::fashion
