// SPDX-License-Identifier: MIT
// Room web. Enters: a file that a person drops anywhere on the page. Leaves: a call with it; the
// page shows meanwhile that it would take it.

export function takeDroppedFiles(sign, take) {
    let inside = 0;  // of nested elements that a drag has entered
    const holds = (event) => event.dataTransfer?.types.includes("Files");
    const show = () => sign.classList.toggle("on", inside > 0);
    const on = (name, react) => addEventListener(name, (event) => {
        if (!holds(event)) return;
        react(event);
        show();
    });
    on("dragenter", () => ++inside);
    on("dragleave", () => --inside);
    on("dragover", (event) => event.preventDefault());
    on("drop", (event) => {
        event.preventDefault();
        inside = 0;
        if (event.dataTransfer.files.length > 0) take(event.dataTransfer.files[0]);
    });
}
