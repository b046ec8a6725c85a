import { defineConfig } from "vite";

const service = process.env["WARMLINE_PUBLIC_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  appType: "mpa",
  logLevel: "warn",
  build: {
    outDir: "../warmline/web/built",
    emptyOutDir: true,
    // Old web views of phones: what they lack in syntax is written out for them.
    target: ["es2019", "chrome79", "safari13.1"],
    cssTarget: ["chrome79", "safari13.1"],
    assetsInlineLimit: 0, // a data: address would need a hole in the content security policy
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: { input: ["caller.html", "staff.html"] },
  },
  server: {
    proxy: { "^/(v1|sim|demo)/": { target: service, ws: true } },
  },
});
