/** docs/programs.md, made of what the tests ran. */

export interface Row {
  /** Names with their versions. */
  readonly packages: readonly string[]
  readonly runs: string
  /** Of the bundle. */
  readonly bytes: number
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`

export const programsPage = (rows: readonly Row[]): string => `# Packages that run in user space

<!-- Printed by \`npx vitest run test/programs -u\` from what ran: change test/programs/page.ts, not this page. -->

Each of these packages runs unmodified inside an isolate, in a cell and inline, in an agent of [test/programs/agents](../test/programs/agents) that is written as for Node.js. The test that runs them prints this table and fails where it no longer holds.

| packages | what runs | bundle |
| --- | --- | ---: |
${rows.map(({ packages, runs, bytes }) => `| ${packages.map((name) => `\`${name}\``).join('<br>')} | ${runs} | ${mebibytes(bytes)} |`).join('\n')}

- **Each request is a call of \`net.fetch\`**, judged, on record and counted; the servers they were run against are on this machine and speak the protocols of OpenAI, Anthropic and MCP.
- **Keys are placeholders** (\`apiKey: '\${secret:OPENAI_API_KEY}'\`): the kernel puts the value in on the way out, for the servers that the secret names ([secrets](secrets.md)).
- **A host that no rule permits** is refused with EPERM. Most clients take that for a connection that failed: they wrap it into an error of their own, with the refusal as its \`cause\`, and try again as often as they are told to. Set their \`maxRetries\` to what you want to wait for. An agent that ends by such an error shows the refusal with it.
- **Each run replays** byte for byte from its evidence, what was streamed included ([evidence](evidence.md)).
- **Streams** come piece by piece: in the test the server waits in the middle of each streamed answer until the agent has printed what came before.
- How long they take to start, and what the kernel costs an agent's loop: \`npm run bench -- programs program-starts\`.
`
