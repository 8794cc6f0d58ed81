// Unpacks Chromium, with the libraries and the font that it needs, into TMPDIR.
import { readFileSync, writeFileSync } from "node:fs";

// The package does so only where it believes to be in Lambda: elsewhere it expects these libraries to be installed.
process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs24.x";
const { default: chromium } = await import("@sparticuz/chromium");
await chromium.executablePath();

// It expects its fonts in /tmp: without them, the browser draws no text.
const settings = `${process.env.TMPDIR}/fonts/fonts.conf`;
writeFileSync(settings, readFileSync(settings, "utf8").replaceAll("/tmp/", `${process.env.TMPDIR}/`));
