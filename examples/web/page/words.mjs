// SPDX-License-Identifier: MIT
// Room web. Enters: numbers. Leaves: words for people.

export const number = new Intl.NumberFormat("en");
export const count = (n) => n >= 1e9 ? `${(n / 1e9).toFixed(1)} billion`
    : n >= 1e6 ? `${(n / 1e6).toFixed(1)} million` : number.format(n);
export const size = (n) => n >= 1e9 ? `${(n / 1e9).toFixed(2)}\u00a0GB` : `${(n / 1e6).toFixed(1)}\u00a0MB`;
export const rate = (n) => n >= 100 ? number.format(Math.round(n)) : n.toFixed(1);
