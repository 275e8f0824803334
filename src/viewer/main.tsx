/** The page at `/`. It speaks the hub's public HTTP API and nothing else. */
import { render } from "preact";
import { App } from "./app.tsx";

render(<App />, document.getElementById("app")!);
