// SPDX-License-Identifier: MIT
// Room support. Enters: text that people or their editors wrote. Leaves: its lines, without what
// tells nothing: the mark of UTF-8 at the start, and the carriage return of CRLF at each end.
#pragma once

#include <istream>
#include <string>
#include <string_view>

#include "support/error.hpp"

namespace tbx::support {

/// All that is left of `in`, a pipe perhaps. Throws tbx::error, with `name` as its subject, where
/// it cannot be read: a folder, say, which opens as a file does.
[[nodiscard]] inline std::string read_all(std::istream& in, std::string_view name) {
    std::string all;
    char block[1 << 14];
    while (in.read(block, sizeof block) || in.gcount() > 0)
        all.append(block, static_cast<std::size_t>(in.gcount()));
    if (in.bad() || !in.eof()) throw error(name, "it cannot be read");
    return all;
}

/// `text` without a byte order mark of UTF-8. Throws tbx::error, with `name` as its subject, where
/// the mark is that of UTF-16 or UTF-32: its bytes would be taken for UTF-8 that is damaged.
[[nodiscard]] inline std::string_view utf8_text(std::string_view text, std::string_view name) {
    using namespace std::string_view_literals;
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
        text.starts_with("\0\0\xfe\xff"sv))
        throw error(name, "it is UTF-16 or UTF-32 by its first bytes; only UTF-8 is read");
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    return text;
}

/// Cuts the first line off `rest`, which is not empty, and returns it without its end.
[[nodiscard]] inline std::string_view next_line(std::string_view& rest) noexcept {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

/// Lines as they come from a stream, a terminal perhaps: nothing is read beyond the line asked for.
class line_reader {
    std::istream& in;
    std::string_view name;
    bool at_start = true;

public:
    /// `stream` and the text of `subject` (a file's name, "standard input") must outlive this.
    line_reader(std::istream& stream, std::string_view subject) : in(stream), name(subject) {}

    /// False at the end. Throws as utf8_text does, and where the stream cannot be read.
    [[nodiscard]] bool next(std::string& line) {
        if (!std::getline(in, line)) {
            if (in.bad()) throw error(name, "it could not be read");
            return false;
        }
        if (line.ends_with('\r')) line.pop_back();
        if (at_start) line.erase(0, line.size() - utf8_text(line, name).size());
        at_start = false;
        return true;
    }
};

}  // namespace tbx::support
