import { render } from "preact";
import { followLinks } from "../shared/router.ts";
import { App } from "./app.tsx";

followLinks("/call");
const page = document.getElementById("page");
if (page) render(<App />, page);
