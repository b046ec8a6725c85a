import { render } from "preact";
import { followLinks } from "../shared/router.ts";
import { App } from "./app.tsx";
import { PLACES } from "./places.ts";

for (const place of PLACES) followLinks(`/${place}`);
const page = document.getElementById("page");
if (page) render(<App />, page);
