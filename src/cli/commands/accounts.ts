import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import type { IssuedKeyBody } from "../key_views.ts";

interface AccountBody {
  readonly accountId: string;
  readonly displayName: string;
  readonly kind: string;
  readonly level: string;
  readonly status: string;
  readonly keys: number;
  readonly createdAt: number;
}

interface OrganizationBody {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly createdAt: number;
}

const ID = { name: "id", required: true, description: "id of the account" } as const;
const ORG = { name: "id", required: true, description: "id of the organization" } as const;

function accountTable(accounts: readonly AccountBody[], cli: Cli): string {
  const columns = [
    { title: "id", min: 6, paint: cli.style.bold },
    { title: "name", min: 6 },
    { title: "kind" },
    { title: "level" },
    { title: "status" },
    { title: "keys", align: "right" },
    { title: "since", align: "right" },
  ] as const;
  const rows = accounts.map((it) => [
    it.accountId,
    it.displayName,
    it.kind,
    it.level,
    it.status,
    String(it.keys),
    formatAge(it.createdAt, cli.now()),
  ]);
  return formatTable(columns, rows, cli);
}

function organizationTable(organizations: readonly OrganizationBody[], cli: Cli): string {
  const columns = [
    { title: "id", min: 6, paint: cli.style.bold },
    { title: "name", min: 6 },
    { title: "owner" },
    { title: "made", align: "right" },
  ] as const;
  const rows = organizations.map((it) => [it.id, it.name, it.ownerId, formatAge(it.createdAt, cli.now())]);
  return formatTable(columns, rows, cli);
}

const listAccounts: Command = {
  name: "list",
  summary: "Accounts of your organization",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const accounts = await allPages<AccountBody>(await openHub(args, cli), "/api/accounts");
    if (args.flag("json")) outJson(cli, accounts);
    else cli.out(accountTable(accounts, cli));
    return ExitCode.OK;
  },
};

const createAccount: Command = {
  name: "create",
  summary: "Make a service account; give it keys with `hub keys create`",
  positionals: [ID],
  options: { name: { type: "text", value: "NAME", description: "What people call it" }, ...HUB_OPTIONS },
  examples: ["hub accounts create build-bot --name 'Build bot'"],
  async run(args, cli) {
    const displayName = args.text("name");
    const body = { id: args.required("id"), ...(displayName !== undefined && { displayName }) };
    const account = await (await openHub(args, cli)).post<AccountBody>("/api/accounts", { body });
    if (args.flag("json")) outJson(cli, account);
    else cli.out(accountTable([account], cli));
    return ExitCode.OK;
  },
};

function change(verb: "suspend" | "resume", summary: string): Command {
  return {
    name: verb,
    summary,
    positionals: [ID],
    options: HUB_OPTIONS,
    async run(args, cli) {
      const path = `/api/accounts/${encodeURIComponent(args.required("id"))}/${verb}`;
      const account = await (await openHub(args, cli)).post<AccountBody>(path);
      if (args.flag("json")) outJson(cli, account);
      else cli.out(accountTable([account], cli));
      return ExitCode.OK;
    },
  };
}

/** `hub accounts …` */
export const accountsCommands: CommandGroup = {
  name: "accounts",
  summary: "Who has keys in your organization",
  commands: [
    listAccounts,
    createAccount,
    change("suspend", "Take none of an account's keys until it is resumed"),
    change("resume", "Take an account's keys again"),
  ],
};

const listOrganizations: Command = {
  name: "list",
  summary: "Organizations of the hub",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const organizations = await allPages<OrganizationBody>(await openHub(args, cli), "/api/organizations");
    if (args.flag("json")) outJson(cli, organizations);
    else cli.out(organizationTable(organizations, cli));
    return ExitCode.OK;
  },
};

const createOrganization: Command = {
  name: "create",
  summary: "Make an organization; its first key is shown this once",
  positionals: [ORG],
  options: {
    name: { type: "text", value: "NAME", description: "What people call it (default: its id)" },
    owner: { type: "text", value: "ACCOUNT", description: "Whose it is (default: your account)" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const [name, ownerId] = [args.text("name"), args.text("owner")];
    const body = {
      id: args.required("id"),
      ...(name !== undefined && { name }),
      ...(ownerId !== undefined && { ownerId }),
    };
    const made = await (await openHub(args, cli)).post<{ organization: OrganizationBody; key: IssuedKeyBody }>(
      "/api/organizations",
      { body },
    );
    if (args.flag("json")) outJson(cli, made);
    else {
      cli.err(`Organization ${made.organization.id} of ${made.organization.ownerId}`);
      cli.err(cli.style.yellow("Its key is shown this once: keep it now"));
      cli.out(made.key.key);
    }
    return ExitCode.OK;
  },
};

const members: Command = {
  name: "members",
  summary: "Accounts that have keys in an organization",
  positionals: [ORG],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const path = `/api/organizations/${encodeURIComponent(args.required("id"))}/members`;
    const { items } = await (await openHub(args, cli)).get<{ items: readonly { accountId: string; keys: number }[] }>(
      path,
    );
    if (args.flag("json")) outJson(cli, items);
    else {
      const columns = [{ title: "account", min: 6, paint: cli.style.bold }, { title: "keys", align: "right" }] as const;
      cli.out(formatTable(columns, items.map(({ accountId, keys }) => [accountId, String(keys)]), cli));
    }
    return ExitCode.OK;
  },
};

/** `hub orgs …` */
export const orgsCommands: CommandGroup = {
  name: "orgs",
  summary: "Organizations of the hub, for whoever administers it",
  commands: [listOrganizations, createOrganization, members],
};
