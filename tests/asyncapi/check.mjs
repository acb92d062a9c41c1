// Reads AsyncAPI documents with the reference parser; prints what it says of each, as JSON.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();
const said = [];
for (const path of process.argv.slice(2)) {
  const { document, diagnostics } = await parser.parse(readFileSync(path, "utf8"));
  const operations = document ? document.operations().all() : [];
  const channels = document ? document.channels().all() : [];
  said.push({
    operations: operations.map((operation) => operation.id()),
    channels: channels.map((channel) => channel.address()),
    replies: operations.filter((operation) => operation.reply()).map((each) => each.id()),
    diagnostics: diagnostics.map(({ severity, code, path, message }) => ({
      severity,
      code,
      path: path.join("/"),
      message,
    })),
  });
}
console.log(JSON.stringify(said));
