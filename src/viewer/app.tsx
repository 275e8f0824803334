import type { JSX } from "preact";
import { Approvals } from "./pages/approvals.tsx";
import { DeadLetters } from "./pages/dead_letters.tsx";
import { Flow, FlowLine } from "./pages/flow.tsx";
import { Keys } from "./pages/keys.tsx";
import { Run } from "./pages/run.tsx";
import { Runs } from "./pages/runs.tsx";
import { Schedules } from "./pages/schedules.tsx";
import { SignIn } from "./pages/sign_in.tsx";
import { Spokes } from "./pages/spokes.tsx";
import { UsagePage } from "./pages/usage.tsx";
import { Webhooks } from "./pages/webhooks.tsx";
import { Workflow } from "./pages/workflow.tsx";
import { Workflows } from "./pages/workflows.tsx";
import { place, to } from "./router.ts";
import { key, signOut } from "./session.ts";
import { theme, turnTheme } from "./theme.ts";

const PAGES: Readonly<
  Record<string, { readonly title: string; readonly page: (name: string | undefined) => JSX.Element }>
> = {
  runs: { title: "Runs", page: (id) => id === undefined ? <Runs /> : <Run key={id} id={id} /> },
  workflows: {
    title: "Workflows",
    page: (name) => name === undefined ? <Workflows /> : <Workflow key={name} name={name} />,
  },
  approvals: { title: "Approvals", page: () => <Approvals /> },
  "dead-letters": { title: "Dead letters", page: () => <DeadLetters /> },
  spokes: { title: "Spokes", page: () => <Spokes /> },
  schedules: { title: "Schedules", page: () => <Schedules /> },
  webhooks: { title: "Webhooks", page: () => <Webhooks /> },
  flow: { title: "Flow", page: (name) => name === undefined ? <Flow /> : <FlowLine key={name} name={name} /> },
  usage: { title: "Usage", page: () => <UsagePage /> },
  keys: { title: "Keys", page: () => <Keys /> },
};

export function App(): JSX.Element {
  if (key.value === null) return <SignIn />;
  const [section = "runs", name] = place.value.path;
  const found = PAGES[section];
  document.title = `${name ?? found?.title ?? "Not found"} · hub`;
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}
      >
        To the content
      </a>
      <header class="top">
        <a class="brand" href="#/">
          <span class="logo" aria-hidden="true">◈</span> hub
        </a>
        <nav aria-label="Sections">
          {Object.entries(PAGES).map(([path, { title }]) => (
            <a key={path} href={to([path])} aria-current={path === section ? "page" : undefined}>{title}</a>
          ))}
        </nav>
        <span class="end">
          <a href="/docs">API</a>
          <button
            type="button"
            onClick={turnTheme}
            aria-label={`Colours: ${theme.value}`}
            title={`Colours: ${theme.value}`}
          >
            ◐
          </button>
          <button type="button" onClick={() => signOut()}>Sign out</button>
        </span>
      </header>
      <main id="main" tabIndex={-1}>
        {found === undefined
          ? (
            <div class="empty">
              There is no such page. <a href="#/">To the runs</a>
            </div>
          )
          : found.page(name)}
      </main>
    </>
  );
}
