# SPDX-License-Identifier: MIT
# Cuts the ```cpp, ```c and ```python blocks out of a Markdown page. With -v folder=DIR -v page=NAME
# each block becomes DIR/NAME_<n>.cpp, or .c, or .py, and one line "<kind> <file> <line in the page>" is printed for it:
#   main   the block is a whole program
#   unit   the block is compiled as it stands
#   body   statements (`<!-- snippet: body -->` stands before the block): wrapped in a function that
#          has weights, x and y, as matrix_views of floats, in its scope
#   python the block is a whole program in Python; without NumPy it is skipped
#   skip   not compiled (`<!-- snippet: skip -->` stands before the block)
function finish() {
    file = folder "/" page "_" count (language == "python" ? ".py" : "." language)
    if (mark == "skip") { print "skip", "-", start; return }
    kind = mark == "body" ? "body" : has_main ? "main" : "unit"
    if (language == "python") {
        print "try:\n    import numpy\nexcept ImportError:" >file
        print "    print(\"skipped: there is no numpy\"), exit(4)\n" >file
        printf "%s", text >file
        close(file)
        print "python", file, start
        return
    }
    line = start
    printf "" >file
    if (kind == "body" && !umbrella) print "#include <trilobit/trilobit.hpp>" >file
    printf "%s", includes >file
    if (kind == "body") {
        print "void snippet_" page "_" count "([[maybe_unused]] trilobit::matrix_view<const float> weights," >file
        print "    [[maybe_unused]] trilobit::matrix_view<const float> x," >file
        print "    [[maybe_unused]] trilobit::matrix_view<float> y);" >file
        print "void snippet_" page "_" count "([[maybe_unused]] trilobit::matrix_view<const float> weights," >file
        print "    [[maybe_unused]] trilobit::matrix_view<const float> x," >file
        print "    [[maybe_unused]] trilobit::matrix_view<float> y) {" >file
    }
    # Diagnostics point into the page.
    if (language == "cpp") print "#line " line + 1 " \"" origin "\"" >file
    printf "%s", text >file
    if (kind == "body") print "}" >file
    close(file)
    print kind, file, start
}
/^<!-- snippet: (skip|body) -->[ \t]*$/ { mark = $3; next }
/^```(cpp|c|python)[ \t]*$/ {
    language = $0; gsub(/[` \t]/, "", language)
    inside = 1; start = FNR; count++; text = ""; includes = ""; has_main = 0; umbrella = 0; next
}
inside && /^```[ \t]*$/ { finish(); inside = 0; mark = ""; next }
inside {
    if (language == "cpp" && $0 ~ /^[ \t]*#[ \t]*include/) {
        includes = includes $0 "\n"; text = text "\n"
        if ($0 ~ /trilobit\/trilobit\.hpp/) umbrella = 1
    } else text = text $0 "\n"
    if ($0 ~ /(^|[^A-Za-z0-9_])int main\(/) has_main = 1
    next
}
/[^ \t]/ { mark = "" }
