// SPDX-License-Identifier: MIT
// Room fashion. Enters: two files. Leaves: see idx.hpp.
#include "fashion/idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <new>

#include "support/error.hpp"
#include "support/lines.hpp"

namespace tbx::fashion {
namespace {

// A file's bytes, unpacked where it begins as gzip'd ones do.
class gzip_file {
    std::string path, packed;
    z_stream stream{};
    bool compressed = false, ended = false;

    // Fewer than asked for only where the file ends, whole and with the right sum.
    [[nodiscard]] std::size_t some(std::uint8_t* to, std::size_t bytes) {
        stream.next_out = to;
        stream.avail_out = static_cast<uInt>(bytes);
        while (!ended && stream.avail_out > 0) {
            if (!compressed) {
                const uInt n = std::min(stream.avail_in, stream.avail_out);
                std::copy_n(stream.next_in, n, stream.next_out);
                stream.next_in += n, stream.avail_in -= n;
                stream.next_out += n, stream.avail_out -= n;
                ended = stream.avail_in == 0;
                continue;
            }
            const int what = inflate(&stream, Z_NO_FLUSH);
            if (what == Z_STREAM_END) {
                ended = true;
                if (stream.avail_in > 0) fail("goes on behind its gzip'd part");
            } else if (what == Z_BUF_ERROR ||
                       (what == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
                fail("ends in the middle: it was cut off");
            } else if (what == Z_MEM_ERROR) {
                throw std::bad_alloc();
            } else if (what != Z_OK) {
                fail(std::string("is damaged: ") +
                     (stream.msg != nullptr ? stream.msg : "this is not what gzip writes"));
            }
        }
        return bytes - stream.avail_out;
    }

public:
    explicit gzip_file(std::string name) : path(std::move(name)) {
        std::ifstream in(path, std::ios::binary);
        if (!in) fail(std::string("cannot be opened: ") + std::strerror(errno));
        packed = support::read_all(in, path);
        if (packed.size() > std::numeric_limits<uInt>::max()) fail("is larger than 4 GB");
        stream.next_in = reinterpret_cast<Bytef*>(packed.data());
        stream.avail_in = static_cast<uInt>(packed.size());
        compressed = packed.starts_with("\x1f\x8b");
        constexpr int gzip_alone = 16 + MAX_WBITS;
        if (compressed && inflateInit2(&stream, gzip_alone) != Z_OK) throw std::bad_alloc();
    }
    gzip_file(const gzip_file&) = delete;
    gzip_file& operator=(const gzip_file&) = delete;
    ~gzip_file() {
        if (compressed) (void)inflateEnd(&stream);
    }
    [[noreturn]] void fail(const std::string& what) const { throw error(path, what); }

    // By pieces, so that a size which is not true asks for no memory.
    [[nodiscard]] std::vector<std::uint8_t> read(std::size_t bytes) {
        std::vector<std::uint8_t> all;
        while (all.size() < bytes) {
            const std::size_t before = all.size();
            const std::size_t piece = std::min<std::size_t>(bytes - before, 1 << 20);
            all.resize(before + piece);
            const std::size_t got = some(all.data() + before, piece);
            if (got < piece)
                fail("ends after " + std::to_string(before + got) + " of the " +
                     std::to_string(bytes) + " bytes that it says follow");
        }
        return all;
    }
    [[nodiscard]] std::uint32_t number() {  // most significant byte first
        const auto b = read(4);
        return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 |
               b[3];
    }
    void expect_end() {
        std::uint8_t more = 0;
        if (some(&more, 1) != 0) fail("goes on behind the last byte that it says it has");
    }
};

// The last byte counts dimensions, the one before says that the numbers are bytes.
constexpr std::uint32_t magic_of_images = 0x803, magic_of_labels = 0x801;

std::uint32_t count_of(gzip_file& file, std::uint32_t magic, const char* what) {
    if (file.number() != magic) file.fail(std::string("is no IDX file of ") + what);
    const std::uint32_t count = file.number();
    if (count < 1 || count > 10'000'000)
        file.fail("says that it has " + std::to_string(count) + " " + what);
    return count;
}

}  // namespace

picture_set read_pictures(const std::string& images, const std::string& labels) {
    picture_set set;
    gzip_file pictures(images);
    const std::uint32_t count = count_of(pictures, magic_of_images, "images");
    const std::uint32_t rows = pictures.number(), cols = pictures.number();
    if (rows < 1 || cols < 1 || rows > 65536 || cols > 65536 / rows)
        pictures.fail("says that its images are " + std::to_string(rows) + " by " +
                      std::to_string(cols));
    set.count = static_cast<int>(count);
    set.pixels = static_cast<int>(rows * cols);
    set.brightness = pictures.read(std::size_t{count} * (rows * cols));
    pictures.expect_end();

    gzip_file names(labels);
    if (const auto n = count_of(names, magic_of_labels, "labels"); n != count)
        names.fail("has " + std::to_string(n) + " labels, but there are " + std::to_string(count) +
                   " images");
    set.labels = names.read(count);
    names.expect_end();
    for (const std::uint8_t label : set.labels)
        if (label >= classes)
            names.fail("has a label " + std::to_string(label) + "; 9 is the last");
    return set;
}

picture_set read_pictures_of(const std::string& folder, const std::string& part) {
    return read_pictures(folder + "/" + part + "-images-idx3-ubyte.gz",
                         folder + "/" + part + "-labels-idx1-ubyte.gz");
}

}  // namespace tbx::fashion
