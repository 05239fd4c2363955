// Makes the files that the portal serves: node build.mjs OUT
import { build } from "esbuild";
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "dist");
await mkdir(out, { recursive: true });
const common = { bundle: true, minify: true, legalComments: "eof", logLevel: "warning", target: ["es2020", "chrome100", "firefox100", "safari15"] };
await build({ ...common, entryPoints: [join(here, "portal.css")], outfile: join(out, "portal.css") });
await build({ ...common, entryPoints: [join(here, "link.ts")], outfile: join(out, "link.js"), format: "iife" });
await copyFile(join(here, "icon.svg"), join(out, "icon.svg"));
