// SPDX-License-Identifier: MIT
// Prints what Hugging Face's own reader finds in a GGUF file: metadata, and of each tensor its name,
// shape, number of type and place.
//   node gguf_parser.mjs FOLDER-OF-THE-PARSER FILE
const [folder, file] = process.argv.slice(2);
const { gguf } = await import(`${folder}/node_modules/@huggingface/gguf/dist/index.mjs`);
const found = await gguf(file, { allowLocalFile: true });
const plain = (key, value) => (typeof value === "bigint" ? Number(value) : value);
console.log(JSON.stringify({
    metadata: found.metadata,
    tensors: found.tensorInfos.map((t) => [t.name, t.shape, t.dtype, t.offset]),
    data: found.tensorDataOffset,
}, plain));
