// Makes Python of JSON Schemas with quicktype, for as long as it is asked: a line in is {"schema": path, "out": path}, a line out
// is "" or what went wrong. argv: the folder of its package.

import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const main = path.join(process.argv[2], "node_modules/quicktype-core/dist/index.js");
const { quicktype, InputData, JSONSchemaInput, FetchingJSONSchemaStore } = await import(pathToFileURL(main));
process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { schema, out } = JSON.parse(line);
  let problem = "";
  try {
    const input = new JSONSchemaInput(new FetchingJSONSchemaStore());
    await input.addSource({ name: "Root", schema: fs.readFileSync(schema, "utf8") });
    const inputData = new InputData();
    inputData.addInput(input);
    const made = await quicktype({ inputData, lang: "python", rendererOptions: { "python-version": "3.10" } });
    fs.writeFileSync(out, made.lines.join("\n"));
  } catch (error) {
    problem = String(error).split("\n")[0] || "unknown";
  }
  process.stdout.write(problem + "\n");
}
