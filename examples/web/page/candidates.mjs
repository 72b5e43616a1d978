// SPDX-License-Identifier: MIT
// Room web. Enters: what came to mind in the place of a token. Leaves: a list item for each, a bar
// with its share, which says when it is taken.

const visible = (text) => text === "" ? "·" : text.replaceAll("\n", "↵");

function span(name, ...inside) {
    const node = document.createElement("span");
    node.className = name;
    node.append(...inside);
    return node;
}

/** `taken`: the id that the story went on with. take(id): a person would rather have this one. */
export function candidateRows(candidates, taken, {mayTake, take}) {
    return candidates.map(({id, text, probability}) => {
        const row = document.createElement("li"), button = document.createElement("button");
        const share = probability < 0.001 ? "< 0.1 %" : `${(probability * 100).toFixed(1)} %`;
        const word = text.startsWith(" ") ? span("text", span("mark", "␣"), visible(text.slice(1)))
            : span("text", visible(text));
        row.className = id === taken ? "taken" : "";
        button.style.setProperty("--part", probability);
        button.type = "button";
        button.disabled = !mayTake;
        button.append(word, span("share", share));
        button.setAttribute("aria-label", `${text.trim() || "space"}, ${share}${id === taken ? ", taken" : ""}`);
        button.onclick = () => take(id);
        row.append(button);
        return row;
    });
}
