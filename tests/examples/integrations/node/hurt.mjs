// SPDX-License-Identifier: MIT
// Tests with node-llama-cpp. Enters: a model. Leaves: a copy with a scale that is NaN in its first
// TQ2_0 tensor.   hurt.mjs MODEL COPY
import fs from "node:fs";

import {GgmlType, readGgufFileInfo} from "node-llama-cpp";

const [model, copy] = process.argv.slice(2);
const {fullTensorInfo} = await readGgufFileInfo(model);
const tensor = fullTensorInfo.find(({ggmlType}) => ggmlType === GgmlType.TQ2_0);
const bytes = fs.readFileSync(model);
bytes.writeUInt16LE(0x7e00, Number(tensor.fileOffset) + 64);
fs.writeFileSync(copy, bytes);
