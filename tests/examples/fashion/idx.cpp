// SPDX-License-Identifier: MIT
// Room tests/examples/fashion: files of pictures, whole and damaged.
// Enters: bytes. Leaves: a failure where they are read as others, or damage is not said.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <iterator>

#include "fashion/network.hpp"
#include "pictures.hpp"
#include "support/error.hpp"

using namespace tbx::fashion;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("pictures are read as they were written, gzip'd or not") {
    const pictures::folder folder;
    const picture_set set = pictures::some(37, 3);
    pictures::write_gzip(folder / "i.gz", pictures::images_file(set, 9));
    pictures::write_gzip(folder / "l.gz", pictures::labels_file(set));
    pictures::write(folder / "i", pictures::images_file(set, 9));
    pictures::write(folder / "l", pictures::labels_file(set));
    for (const std::string end : {"", ".gz"}) {
        const picture_set got = read_pictures(folder / ("i" + end), folder / ("l" + end));
        CHECK(got.count == 37);
        CHECK(got.pixels == 90);
        CHECK(got.brightness == set.brightness);
        CHECK(got.labels == set.labels);
    }
}

TEST_CASE("damaged pictures are refused in one sentence") {
    const pictures::folder folder;
    const picture_set set = pictures::some(37, 3);
    const std::string images = pictures::images_file(set, 9), labels = pictures::labels_file(set);
    const auto refused = [&](const std::string& i, const std::string& l, const std::string& why) {
        pictures::write(folder / "i", i);
        pictures::write(folder / "l", l);
        CHECK_THROWS_WITH(read_pictures(folder / "i", folder / "l"), ContainsSubstring(why));
        if (i.size() < 4) return;  // nothing to compress
        pictures::write_gzip(folder / "i.gz", i);
        pictures::write_gzip(folder / "l.gz", l);
        CHECK_THROWS_WITH(read_pictures(folder / "i.gz", folder / "l.gz"), ContainsSubstring(why));
    };
    using pictures::number;
    refused("", labels, "ends after 0 of the 4 bytes");
    refused(labels, labels, "is no IDX file of images");
    refused(images, images, "is no IDX file of labels");
    refused(images.substr(0, 100), labels, "ends after 84 of the 3330 bytes");
    refused(images + "x", labels, "goes on behind the last byte");
    refused(images, labels + "x", "goes on behind");
    refused(images, labels.substr(0, 20), "ends after 12 of the 37 bytes");
    refused(number(0x803) + number(0), labels, "says that it has 0 images");
    refused(number(0x803) + number(0xffffffff), labels, "says that it has 4294967295 images");
    refused(number(0x803) + number(37) + number(65536) + number(65536), labels, "65536 by 65536");
    refused(number(0x803) + number(9'999'999) + number(256) + number(256), labels, "ends after 0");
    refused(images, number(0x801) + number(36) + labels.substr(8, 36), "has 36 labels");
    std::string wrong = labels;
    wrong[20] = 10;
    refused(images, wrong, "has a label 10");
    CHECK_THROWS_WITH(read_pictures(folder / "absent", folder / "l"),
                      ContainsSubstring("cannot be opened"));
    CHECK_THROWS_AS(read_pictures(folder / "", folder / "l"), tbx::error);
}

TEST_CASE("a damaged gzip file is refused") {
    const pictures::folder folder;
    const picture_set set = pictures::some(370, 3);
    pictures::write_gzip(folder / "i.gz", pictures::images_file(set, 9));
    pictures::write_gzip(folder / "l.gz", pictures::labels_file(set));
    std::ifstream in(folder / "i.gz", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const auto read = [&] { return read_pictures(folder / "i.gz", folder / "l.gz"); };
    REQUIRE_NOTHROW(read());
    for (const std::size_t cut :
         {bytes.size() - 1, bytes.size() - 8, bytes.size() / 2, std::size_t{12}, std::size_t{3}}) {
        pictures::write(folder / "i.gz", bytes.substr(0, cut));
        CAPTURE(cut);
        CHECK_THROWS_WITH(read(), ContainsSubstring("i.gz: ends in the middle"));
    }
    pictures::write(folder / "i.gz", bytes + "more");
    CHECK_THROWS_WITH(read(), ContainsSubstring("i.gz: goes on behind its gzip'd part"));
    for (const std::size_t at : {bytes.size() / 2, bytes.size() - 6}) {  // data, and their sum
        std::string other = bytes;
        other[at] = static_cast<char>(other[at] ^ 16);
        pictures::write(folder / "i.gz", other);
        CAPTURE(at);
        CHECK_THROWS_WITH(read(), ContainsSubstring("i.gz: "));
    }
}

TEST_CASE("a network's file gives back the network, and no other is read") {
    const pictures::folder folder;
    network n;
    for (const auto& [in, out] : {std::pair{90, 33}, {33, 10}}) {
        layer l;
        l.resize(in, out);
        std::mt19937 random(7);
        for (auto& w : l.signs) w = random() % 2 != 0 ? 1 : -1;
        for (auto* v : {&l.mean, &l.slope, &l.offset})
            for (float& x : *v) x = static_cast<float>(random()) * 0x1p-32f - 0.5f;
        n.layers.push_back(l);
    }
    const std::string path = folder / "n";
    save_network(path, n);
    const network m = load_network(path);
    REQUIRE(m.layers.size() == 2);
    for (std::size_t k = 0; k < 2; ++k) {
        CHECK(m.layers[k].inputs == n.layers[k].inputs);
        CHECK(m.layers[k].signs == n.layers[k].signs);
        CHECK(m.layers[k].mean == n.layers[k].mean);
        CHECK(m.layers[k].slope == n.layers[k].slope);
        CHECK(m.layers[k].offset == n.layers[k].offset);
    }
    std::ifstream in(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const auto refused = [&](const std::string& what, const std::string& why) {
        pictures::write(path, what);
        CHECK_THROWS_WITH(load_network(path), ContainsSubstring(why));
    };
    for (const std::size_t cut : {std::size_t{9}, std::size_t{30}, bytes.size() - 1})
        refused(bytes.substr(0, cut), "ends too early");
    refused(bytes + "x", "goes on too long");
    refused("something else", "is no network");
    const auto with = [&](std::size_t at, const std::string& other) {
        std::string b = bytes;
        return b.replace(at, other.size(), other);
    };
    refused(with(8, std::string("\xff\xff\xff\xff", 4)), "4294967295 layers");
    refused(with(12, std::string(4, '\0')), "a layer of 0 neurons");
    refused(with(12, std::string("\0\0\1\0", 4)), "ends too early");
    refused(with(20, std::string("\11\0\0\0", 4)), "10 classes");
    refused(with(bytes.size() - 4, std::string("\0\0\xc0\x7f", 4)), "a number that is none");
}
