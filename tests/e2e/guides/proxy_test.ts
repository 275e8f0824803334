import { FakeProvider } from "../../support/fake_provider/fake_provider.ts";
import { followGuides } from "./_guide.ts";
import { PROXY } from "./groups.ts";

Deno.test("the guide to the proxy works as written, with a fake provider in OpenAI's place", async (t) => {
  const fake = new FakeProvider({ keys: ["sk-fake"] });
  const config = await Deno.makeTempFile({ suffix: ".jsonc" });
  try {
    await Deno.writeTextFile(config, JSON.stringify({ egress: { allowPrivate: [new URL(fake.url).host] } }));
    await followGuides(t, PROXY, { HUB_CONFIG: config, PROVIDER_URL: `${fake.url}/v1`, PROVIDER_KEY: "sk-fake" });
  } finally {
    await fake.stop();
    await Deno.remove(config);
  }
});
