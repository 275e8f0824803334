import type { JSX } from "preact";
import { Accounts } from "./pages/accounts.tsx";
import { Approvals } from "./pages/approvals.tsx";
import { Audit } from "./pages/audit.tsx";
import { BoardPage, Boards } from "./pages/boards.tsx";
import { Clients } from "./pages/clients.tsx";
import { Coordination } from "./pages/coordination.tsx";
import { DeadLetters } from "./pages/dead_letters.tsx";
import { Flow, FlowLine } from "./pages/flow.tsx";
import { Keys } from "./pages/keys.tsx";
import { Roles } from "./pages/roles.tsx";
import { Run } from "./pages/run.tsx";
import { Runs } from "./pages/runs.tsx";
import { Schedules } from "./pages/schedules.tsx";
import { SessionPage } from "./pages/session.tsx";
import { Sessions } from "./pages/sessions.tsx";
import { SignIn } from "./pages/sign_in.tsx";
import { Spokes } from "./pages/spokes.tsx";
import { UsagePage } from "./pages/usage.tsx";
import { Webhooks } from "./pages/webhooks.tsx";
import { Workflow } from "./pages/workflow.tsx";
import { Workflows } from "./pages/workflows.tsx";
import { place, to } from "./router.ts";
import { key, signOut } from "./session.ts";
import { theme, turnTheme } from "./theme.ts";

interface Section {
  readonly title: string;
  readonly page: (name: string | undefined) => JSX.Element;
}

/** By what people come for; the order is the menu's. */
const GROUPS: readonly { readonly title: string; readonly sections: Readonly<Record<string, Section>> }[] = [
  {
    title: "Work",
    sections: {
      runs: { title: "Runs", page: (id) => id === undefined ? <Runs /> : <Run key={id} id={id} /> },
      workflows: {
        title: "Workflows",
        page: (name) => name === undefined ? <Workflows /> : <Workflow key={name} name={name} />,
      },
      approvals: { title: "Approvals", page: () => <Approvals /> },
      "dead-letters": { title: "Dead letters", page: () => <DeadLetters /> },
      schedules: { title: "Schedules", page: () => <Schedules /> },
      webhooks: { title: "Webhooks", page: () => <Webhooks /> },
    },
  },
  {
    title: "Agents",
    sections: {
      sessions: {
        title: "Sessions",
        page: (id) => id === undefined ? <Sessions /> : <SessionPage key={id} id={id} />,
      },
      boards: {
        title: "Task boards",
        page: (name) => name === undefined ? <Boards /> : <BoardPage key={name} name={name} />,
      },
      coordination: { title: "Coordination", page: () => <Coordination /> },
      roles: { title: "Roles", page: () => <Roles /> },
    },
  },
  {
    title: "Hub",
    sections: {
      spokes: { title: "Spokes", page: () => <Spokes /> },
      clients: { title: "Clients", page: () => <Clients /> },
      flow: { title: "Flow", page: (name) => name === undefined ? <Flow /> : <FlowLine key={name} name={name} /> },
      usage: { title: "Usage", page: () => <UsagePage /> },
    },
  },
  {
    title: "Access",
    sections: {
      keys: { title: "Keys", page: () => <Keys /> },
      accounts: { title: "Accounts", page: () => <Accounts /> },
      audit: { title: "Audit", page: () => <Audit /> },
    },
  },
];

const PAGES: Readonly<Record<string, Section>> = Object.assign({}, ...GROUPS.map(({ sections }) => sections));

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
      <nav class="sections" aria-label="Sections">
        {GROUPS.map(({ title, sections }) => (
          <div key={title} role="group" aria-label={title}>
            <span class="group-title" aria-hidden="true">{title}</span>
            {Object.entries(sections).map(([path, { title }]) => (
              <a key={path} href={to([path])} aria-current={path === section ? "page" : undefined}>{title}</a>
            ))}
          </div>
        ))}
      </nav>
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
