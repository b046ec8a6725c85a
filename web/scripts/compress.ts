/** Lays a Brotli and a gzip copy beside every built file that is worth it, once, at its best. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const built = new URL("../../warmline/web/built/", import.meta.url);
const WORTH_IT = /\.(html|js|css|svg)$/;

for (const name of readdirSync(built, { recursive: true, encoding: "utf-8" })) {
  if (!WORTH_IT.test(name)) continue;
  const plain = readFileSync(new URL(name, built));
  const brotli = brotliCompressSync(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
  const gzip = gzipSync(plain, { level: constants.Z_BEST_COMPRESSION });
  if (brotli.length < plain.length) writeFileSync(new URL(`${name}.br`, built), brotli);
  if (gzip.length < plain.length) writeFileSync(new URL(`${name}.gz`, built), gzip);
}
