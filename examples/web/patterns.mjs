// SPDX-License-Identifier: MIT
// Room web. Enters: patterns of PCRE2, and UTF-8. Leaves: where they match, by JavaScript's own
// regular expressions: what pcre2/pcre2.h calls.

export const asText = new TextDecoder("utf-8", {ignoreBOM: true});

/** A pattern of PCRE2 as tokenizer/pretokenize.cpp has them, as JavaScript writes it. */
function regExpOf(pattern) {
    const eitherCase = (letter) => `[${letter}${letter.toUpperCase()}${letter === "s" ? "\u017f" : ""}]`;
    return new RegExp(pattern
        .replaceAll("\\x{", "\\u{")
        .replaceAll(/\(\?i:([^)]*)\)/g, (_, inner) => `(?:${inner.replaceAll(/[a-z]/g, eitherCase)})`),
    "gu");
}

const bytesOf = (codePoint) =>
    codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;

/** Finds patterns in UTF-8, from the left to the right. */
export class Patterns {
    all = [];
    text = "";
    byte = 0;  // these two are the same place
    unit = 0;

    add(pattern) {
        try {
            return this.all.push(regExpOf(pattern)) - 1;
        } catch {
            return -1;
        }
    }

    moveTo(stop) {
        while (stop(this.byte, this.unit)) {
            const point = this.text.codePointAt(this.unit);
            this.byte += bytesOf(point);
            this.unit += point > 0xffff ? 2 : 1;
        }
    }

    /** The first and the last byte of the next match from byte `from` on, or nothing. */
    match(number, bytes, from) {
        if (from === 0 || from < this.byte) {
            this.text = asText.decode(bytes());
            this.byte = this.unit = 0;
        }
        this.moveTo((byte) => byte < from);
        const regExp = this.all[number];
        regExp.lastIndex = this.unit;
        const found = regExp.exec(this.text);
        if (found === null) return undefined;
        this.moveTo((_, unit) => unit < found.index);
        const begin = this.byte;
        this.moveTo((_, unit) => unit < found.index + found[0].length);
        return [begin, this.byte];
    }
}
