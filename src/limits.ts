/** Everything that can grow has a bound here, with its unit and its reason. */

const KiB = 1024
const MiB = 1024 * KiB

export const limits = Object.freeze({
  /** As much text as detectors look through at once, in UTF-16 units: it takes the kernel some 100 ms, three times that at worst. */
  scanMax: 1 * MiB,
  /** As long as one secret is taken to be, in UTF-16 units: more than a private key of 16,384 bits has as text. */
  secretMax: 16 * KiB,
  /** What is looked through before and after a part of a file, in bytes: more than any match is long. */
  redactMargin: 64 * KiB,
  /** One syscall's argument text, in UTF-16 units. A larger document belongs in a file, written in parts. */
  argsBytesMax: 24 * MiB,
  /** One reply's text. A larger file is read by offset and length. */
  replyBytesMax: 24 * MiB,
  /** Replies that wait for a process, or calls while it is stopped, in UTF-16 units; past it the next call is EAGAIN. */
  outboxMax: 48 * MiB,
  /** One delivery, in UTF-16 units, unless one reply alone is longer. */
  deliveryMax: 16 * MiB,
  /** Nesting of arguments; deeper is an attack on a recursive consumer. */
  jsonDepthMax: 64,
  /** Values in one document; each costs the kernel a look before any policy. A large file travels as one of them. */
  jsonNodesMax: 200_000,
  /** As much of a path within a document is shown in a message, in UTF-16 units. */
  jsonPathShownMax: 100,
  /** Calls of one guest in one turn that its isolate passes on; the bootstrap stops at half of it, and its timers. */
  postsMax: 8_192,
  /** Their length, in UTF-16 units: twice what the bootstrap has wait for replies. */
  postsLengthMax: 96 * MiB,
  /** The kernel takes calls for so long, in ms, until something else of the event loop has its turn. */
  intakeSliceMs: 4,
  /** Events of one guest that wait to be taken: more than an honest cell passes on. */
  intakeMax: 10_000,
  /** Length of the calls among them, in UTF-16 units. */
  intakeLengthMax: 128 * MiB,
  /** Calls one process may have in flight; past it the next call is EAGAIN. */
  callsInFlightMax: 1_024,
  /** How many refused calls a process may make past its budget of syscalls until it is ended. */
  callsPastBudgetMax: 100,
  /** Refusals by its policy after which SIGPOLICY is raised for a process, and again after as many more. */
  refusalsMax: 1_000,
  /** How often the same call, or cycle of calls, follows itself until SIGLOOP is raised, where no policy says. */
  loopRepeats: 1_000,
  /** How often CPU time is looked at where a budget that is used up does not end the process, in ms. */
  cpuWatchMs: 20,
  /** As much of a refused call's arguments is kept as evidence, in UTF-16 units. */
  refusedArgsMax: 4 * KiB,
  /** A syscall's name; anything longer is not one. */
  syscallNameMax: 64,
  /** A word of a closed set in a call, such as a method or a part of a budget, in characters. */
  wordMax: 64,
  /** Parts of one budget in a call; there are eight. */
  budgetPartsMax: 16,

  /** Live processes of one kernel. */
  processesMax: 10_000,
  /** Ended processes that can still be looked at. */
  processesEndedMax: 1_000,
  /** Live children of one process. */
  childrenMax: 64,
  /** Generations below the first process; a policy's `depth` can only lower it. */
  depthMax: 8,
  /** An agent's name, in characters. */
  agentNameMax: 64,
  /** Pids that a message names where a name fits several processes. */
  pidsNamedMax: 20,
  /** Frames of a frozen stack that are shown, the innermost: a runaway recursion has thousands. */
  framesShownMax: 50,
  /** Calls in flight, and calls held, that are shown of one process. */
  callsShownMax: 100,
  /** As much of one resource or name is shown to a person who looks, in UTF-16 units. */
  resourceShownMax: 1_024,
  /** Entries on record that are shown of one process: the last ones. */
  entriesShownMax: 20,
  /** Signals waiting for one process. */
  signalsPendingMax: 64,
  /** Messages waiting for one agent. */
  messagesPendingMax: 1_024,
  /** One message, in UTF-16 units. */
  messageBytesMax: 1 * MiB,
  /** What a waiting message counts besides its text, in UTF-16 units. */
  messageOverhead: 128,
  /** Messages waiting for one agent, all together, as JSON text in UTF-16 units. */
  mailboxBytesMax: 16 * MiB,
  /** The same for all agents of one kernel, whose heap holds them. */
  mailboxesBytesMax: 64 * MiB,
  /** What one process may print in its life, in UTF-16 units; past it output is EDQUOT. */
  outputBytesMax: 16 * MiB,
  /** How long a handler of SIGTERM or SIGINT may take until SIGKILL, in ms. */
  handlerMs: 2_000,
  /** How often a deadline that is over looks whether its process goes on, in ms. */
  stoppedPollMs: 50,
  /** How long a shutdown waits for drivers in flight, in ms. */
  drainMs: 3_000,
  /** Longest timer, in ms: what setTimeout can hold. */
  sleepMsMax: 2_147_483_647,

  /** As much of the message of an agent's own error is kept, in UTF-16 units. The bootstrap cuts there too. */
  errorTextMax: 4_000,
  /** Heap of one isolate by default. */
  heapBytes: 64 * MiB,
  /** The least heap with which V8 starts. */
  heapBytesMin: 8 * MiB,
  /** One turn of guest code by default; a loop that never yields ends here. */
  turnMs: 30_000,
  /** How long past its time limit a turn may take to settle until its isolate is disposed, in ms. */
  turnGraceMs: 500,
  /** How long a guest may take to end until its cell gets no other guest, in ms. */
  endMs: 100,
  /** How long a shutdown waits for guests of the application's own process to end, in ms. */
  inlineEndMs: 2_000,
  /** How long one that has no other guest beside it may take to end until its cell is killed, in ms. */
  endAloneMs: 250,
  /** How long past a turn's end the kernel waits for a cell before it kills it, in ms. */
  cellGraceMs: 2_000,
  /** How long a cell may take to start, in ms. */
  cellStartMs: 20_000,
  /** How much less often than the kernel a cell gets a core, in steps of nice(1). */
  cellNice: 10,
  /** Open files of a cell: Node.js has some 20, isolates none; a program that opens more is not a cell's. */
  cellFilesMax: 64,
  /** Threads of a cell: at most one for each isolate that runs, and some 20 of Node.js. */
  cellThreadsMax: 256,
  /** How often a watchdog looks at its cell, in ms: some reads of /proc each time. */
  watchMs: 1_000,
  /** How long a cell that hosts guests may give no sign of life, in ms; its loop never waits for agent code. */
  heartbeatMs: 10_000,
  /** Resident memory of a cell without guests: 80 MB when fresh, 150 after heavy use, measured on Node.js 24. */
  cellBaseBytes: 256 * MiB,
  /** Resident memory of a guest by its heap's limit: V8 copies what lives while it collects garbage. */
  cellHeapFactor: 2,
  /** What a guest may need beside its heap: a delivery, a call and their frames on the way, some 100 MB at once. */
  cellGuestBytes: 192 * MiB,
  /** CPU time per time of a turn: the guest's thread and V8's four that collect and compile; 16 busy guests used 0.08. */
  cellCpuFactor: 5,
  /** CPU time per time that a cell may use between turns. */
  cellCpuIdleShare: 0.1,
  /** How much CPU time no turn may explain, in ms: twice what an ended guest may compute on until its cell is killed. */
  cellCpuDebtMs: 5_000,
  /** How long a tool of the system may take to show that it works, in ms. */
  toolTrialMs: 5_000,
  /** The same for a jail, which starts Node.js, in ms. */
  jailTrialMs: 20_000,
  /** What bubblewrap tells of a jail: its pid and some numbers of namespaces, in UTF-16 units. */
  jailInfoMax: 4 * KiB,
  /** Cells at once by default: each is a process of some 50 MB. */
  cellsMax: 24,
  /** The most that an application can ask for, with a machine to match. */
  cellsHardMax: 1_024,
  /** Cells started ahead at most: each costs its memory before anybody uses it. */
  cellsSpareMax: 16,
  /** Live processes of one run: a first process and all below it. */
  processesPerRunMax: 256,
  /** Processes that one cell hosts by default. */
  processesPerCell: 16,
  /** The most that an application can ask for: what one cell's end takes with it. */
  processesPerCellMax: 64,
  /** Cells without a process that are kept for the same agent and policy. */
  cellsIdleMax: 4,
  /** How long a busy isolate has to let go of the debugger before it is disposed, in ms. */
  sessionEndMs: 50,
  /** What V8 says of a guest that stands still is read up to this length, in UTF-16 units. */
  frozenTextMax: 16 * MiB,
  /** Frames of a frozen stack that are kept: the innermost. */
  frozenFramesMax: 64,
  /** A function's name in them, in UTF-16 units. */
  frameNameMax: 200,
  /** How long a guest with a cell of its own may take to stand still until the operating system stops the cell, in ms. */
  stopMs: 500,
  /** How often a turn is looked at that may go on past its memory limit, in ms. */
  memoryLookMs: 250,
  /** How long every thread of a cell may take to obey the operating system's SIGSTOP, in ms. */
  systemStopMs: 5_000,
  /** How long one that shares its cell may take until the cell is killed, in ms. */
  stopSharedMs: 3_000,
  /** One frame between kernel and cell, in bytes: a reply plus its envelope. */
  frameBytesMax: 128 * MiB,
  /** A source map of the application, in bytes; a larger one is not read, and a refusal names fewer lines. */
  sourceMapBytesMax: 64 * MiB,
  /** Programs whose text is known to be on record already. */
  programsKeptMax: 64,
  /** A program's bundle, in bytes. */
  programBytesMax: 32 * MiB,
  /** One file of a program or of its packages, in bytes. */
  programFileBytesMax: 16 * MiB,
  /** Files that a program is made of: a large framework has some 2,500. */
  programFilesMax: 10_000,
  /** Those files together, in bytes: more than twice the largest bundle. */
  programSourcesMax: 96 * MiB,
  /** How long one program may take to be bundled, in ms: the largest framework seen takes 3 s on a busy machine. */
  bundleMs: 120_000,
  /** So long after its last change a file's times tell of the next one, in ms: some file systems count whole seconds, in twos. */
  fileSettledMs: 3_000,
  /** Bundles that are kept in memory, for the next process of the same file. */
  bundlesKeptMax: 32,
  /** Those bundles with their source maps, in UTF-16 units. */
  bundlesKeptLengthMax: 64 * MiB,
  /** Source maps that are kept read: that of a large bundle takes some 100 MB then. */
  sourceMapsReadMax: 2,
  /** What one import names, in UTF-16 units: a longer path is none that a system has. */
  importPathMax: 4 * KiB,
  /** Steps of a chain of imports that a message shows, from each end. */
  importStepsShownMax: 8,
  /** As much of a line that cannot be read is shown in a message, in UTF-16 units. */
  sourceLineShownMax: 160,

  /** A path, in UTF-16 units. */
  pathMax: 1_024,
  /** One name within a path, in bytes of UTF-8: what Linux file systems take. */
  pathNameBytesMax: 255,
  /** All bytes in one process's /tmp, or in one agent's /mem and /state together. */
  vfsBytesMax: 64 * MiB,
  /** All files and folders in the same. */
  vfsFilesMax: 10_000,
  /** One file in a memory mount, or one read of a host file. */
  fileBytesMax: 16 * MiB,
  /** Files of one memory volume that are kept open for reading. */
  volumeReadersMax: 16,
  /** Names in one listing. */
  listMax: 10_000,
  /** Calls that one host mount works on at once; the others wait, so that guests cannot use up the host's descriptors. */
  hostCallsMax: 32,
  /** Agent names whose /mem and /state one kernel keeps. */
  homesMax: 10_000,
  /** What all of these hold together, in bytes: it lies in the kernel's memory. */
  homesBytesMax: 1_024 * MiB,
  /** What a file or folder of them counts besides its content, in bytes. */
  homesFileBytes: 1 * KiB,

  /** A response's body; larger is EFBIG. */
  fetchBytesMax: 16 * MiB,
  /** One request from connect to the last byte, in ms. */
  fetchMs: 30_000,
  /** Fetches one process may have in flight; past it the next one is EAGAIN. */
  fetchesInFlightMax: 32,
  /** Response bytes of all fetches that the kernel holds at once; past it a fetch ends with EAGAIN. */
  fetchBytesHeldMax: 256 * MiB,
  /** Streams that one process may have open; past it the next one is EAGAIN. */
  streamsOpenMax: 64,
  /** Bytes that one read of a stream gives at most: about what arrives at once. */
  streamReadBytesMax: 64 * KiB,
  /** What one write to a stream takes, in bytes or as JSON in UTF-16 units: as much as a message. */
  streamWriteMax: 1 * MiB,
  /** What waits in one pipe, in bytes or as JSON in UTF-16 units, unless one value alone is longer; then the writer waits. */
  streamQueueMax: 1 * MiB,
  /** The same of all pipes of a kernel, whose heap holds it; past it a write is EAGAIN. */
  streamQueuesMax: 64 * MiB,
  /** Pipes that wait until one agent takes them. */
  pipesPendingMax: 64,
  /** The schema of a typed pipe, as JSON in UTF-16 units: each value is held against all of it. */
  pipeSchemaMax: 8 * KiB,
  /** What is kept of the end of a text that is read in pieces, to see values that lie across a border, in UTF-16 units. */
  streamTailMax: 512,
  /** A response's body that is read as a stream, all of it, in bytes; it never lies in the kernel whole. */
  fetchStreamBytesMax: 1_024 * MiB,
  /** What one such response takes of the bytes that the kernel holds at once: what the system, HTTP and unpacking keep ahead. */
  fetchStreamHeldBytes: 256 * KiB,
  /** How long a server may take for the next bytes while somebody waits for them, in ms. */
  fetchIdleMs: 120_000,
  /** From the head of a response to the last byte of its stream, in ms: an hour. */
  fetchStreamMs: 3_600_000,
  /** How long one address of a name may take before the next one is tried, in ms. */
  connectAttemptMs: 1_000,
  /** Names resolved at once: each takes one of libuv's four threads, and files need the others. */
  lookupsAtOnceMax: 2,
  /** Random bytes of one call: the quota of the Web Crypto API. */
  randomBytesMax: 65_536,
  /** Redirects that user space follows for one fetch. */
  redirectsMax: 10,
  /** A URL, in characters. */
  urlMax: 8 * KiB,
  /** A host's name, in characters (RFC 1035, section 2.3.4). */
  hostNameMax: 253,
  /** One label of a host's name, in characters (the same). */
  hostLabelMax: 63,
  /** Headers of one request; the policy is asked about all of their names. */
  headersMax: 200,
  /** A header's name, in characters. */
  headerNameMax: 256,
  /** All header lines of one request or response, in bytes. */
  headerBytesMax: 32 * KiB,
  /** Secrets of one kernel. */
  secretsMax: 32,
  /** The value of a secret, in characters: one that is shorter could be found out by sending guesses to a server that echoes them. */
  secretLengthMin: 12,
  /** The most that fits a header beside others: tokens with claims in them have some 2,000. */
  secretLengthMax: 8 * KiB,
  /** Different characters in it: a repeated one is found in texts that have nothing to do with it. */
  secretVarietyMin: 5,
  /** Placeholders in one request: each may become as long as a value may be. */
  secretUsesMax: 32,
  /** What is kept back of a streamed answer because it may be the beginning of a secret, in bytes: the longest, escaped. */
  secretHeldBytes: 64 * KiB,
  /** Values of one secret that answers are searched for: those before the newest may still come back. */
  secretValuesKept: 4,
  /** Those before the newest, of all secrets, in characters: the automaton that looks for them has some 15 states for each. */
  secretValuesLengthMax: 64 * KiB,

  /** Parts of a streamed reply of a wrapped model that are kept for the record; what comes after them is counted only. */
  llmPartsKept: 100_000,
  /** A tool's name, in characters. That of a server's tool says whose it is, too. */
  toolNameMax: 128,
  /** Compiled schemas of wrapped tools that are kept, since frameworks make them anew with each run. */
  toolSchemasKept: 512,
  /** A tool may take this long unless it says otherwise, in ms. */
  toolMs: 60_000,

  /** Models of one kernel. */
  modelsMax: 256,
  /** A model's name, provider and all, in characters. */
  modelNameMax: 128,
  /** Messages of one prompt. */
  llmMessagesMax: 4_096,
  /** Parts of one message. */
  llmPartsMax: 256,
  /** Tools that a model is offered in one call; providers take 128. */
  llmToolsMax: 128,
  /** The id of a call of a tool, in characters. */
  llmToolCallIdMax: 256,
  /** Texts that one call turns into vectors; providers take 2,048. */
  llmValuesMax: 2_048,
  /** Tokens of a reply where the agent does not say: so every call is bounded, and a condition judges the bound that counts. */
  llmTokensDefault: 4_096,
  /** The most that an agent may ask for: beyond what any model writes in one reply. */
  llmTokensMax: 1_000_000,
  /** As many bytes are taken for one token where nobody has counted: English has four to a token, code and most other scripts some three. */
  llmBytesPerToken: 3,
  /** What a picture is taken for, in tokens: more than the large providers count for their largest. */
  llmImageTokens: 6_000,
  /** A model's whole reply, in bytes: more than its tokens make, and less than a reply of the kernel may have. */
  llmReplyBytesMax: 8 * MiB,
  /** What a model's server may send for one reply, in bytes: streamed, each token comes with some 200 bytes around it. */
  llmWireBytesMax: 64 * MiB,
  /** Calls of models that one process may have in flight; past it the next one is EAGAIN. */
  llmInFlightMax: 16,
  /** How often a call of a model is tried again where the application does not say. */
  llmRetries: 2,
  /** The most that it may say: each attempt sends the whole prompt. */
  llmRetriesMax: 10,
  /** How long the first of them waits, in ms; each further one twice as long. */
  llmBackoffMs: 500,
  /** How long one of them waits at most, in ms; where a server wants to be left alone for longer, the call fails. */
  llmBackoffMsMax: 30_000,
  /** A call of a model with all its attempts, in ms. */
  llmMs: 600_000,
  /** Until the first part of a streamed reply, in ms: models that think before they write take minutes. */
  llmFirstMs: 180_000,
  /** Between two parts of one, in ms. */
  llmIdleMs: 60_000,
  /** As much of what a model's server sent is shown in an error, in UTF-16 units. */
  llmShownMax: 160,
  /** A price for a million tokens is at most this, in US dollars; dearer than any, so that a slip is found. */
  llmPriceMax: 100_000,
  /** Prices are for so many tokens. */
  llmPriceTokens: 1_000_000,
  /** Parts of a US dollar that costs are counted in: the cheapest models take some 20 of them for a token. */
  dollarParts: 1_000_000_000,

  /** What the kernel keeps of one process's recent output, and as much of its calls, in UTF-16 units: for `logs`. */
  journalProcessLength: 256 * KiB,
  /** The same for all processes, those that ended lately included; past it those of the process longest silent go. */
  journalLength: 32 * MiB,
  /** What a line of it counts besides its text, in UTF-16 units. */
  journalOverhead: 64,
  /** Connections from other terminals at once; one more is closed at once. */
  controlConnectionsMax: 64,
  /** Of these, followers of logs, so that they cannot keep a person from `kill`. */
  controlFollowersMax: 32,
  /** The body of one request from another terminal, in bytes: an approval may come with arguments. */
  controlBodyBytesMax: 64 * KiB,
  /** All header lines of the same, in bytes. */
  controlHeaderBytesMax: 8 * KiB,
  /** How long a request may take to arrive, and a reply to be read, in ms. */
  controlIdleMs: 5_000,
  /** How long the kernel waits at its end until what it wrote to other terminals is read, in ms. */
  controlCloseMs: 500,
  /** What waits for a follower of logs that does not read, in bytes; past it the next line cuts it off. */
  controlBacklogBytes: 4 * MiB,
  /** What a command reads as one reply of a kernel, in bytes: every row of a full process table. */
  controlReplyBytesMax: 64 * MiB,
  /** How long a command waits for a reply, in ms. */
  controlReplyMs: 10_000,
  /** A path by which a socket is reached, in bytes: the least of what Linux (107) and macOS (103) take. */
  socketPathBytesMax: 103,

  /** How long a request for approval waits where nobody says, in ms; then it is denied. */
  approvalMs: 600_000,
  /** Calls of one process that wait for approval at once: nobody reads more. Past it the next one is EAGAIN. */
  approvalsPerProcessMax: 16,
  /** The same of one run, its children included, so that none fills the list for all. */
  approvalsPerRunMax: 64,
  /** The same of one kernel. */
  approvalsMax: 256,
  /** Arguments of those of one run, in UTF-16 units. */
  approvalsRunLengthMax: 32 * MiB,
  /** Of all of them: they lie in the kernel's memory. */
  approvalsLengthMax: 128 * MiB,
  /** As much of the arguments is shown to a person, in UTF-16 units; the whole is on record. */
  approvalArgsShownMax: 16 * KiB,
  /** The same of all differences of one request. */
  approvalDiffShownMax: 16 * KiB,
  /** Differences of a text longer than this, in bytes, are not worked out; sizes and hashes are shown. */
  approvalTextBytesMax: 256 * KiB,
  /** Lines that differ, on both sides together, until a difference is shown as all of one text for all of the other. */
  approvalDiffEditsMax: 500,
  /** What a call may replace or remove of one file and still be asked about, in bytes: it is read and hashed. */
  approvalHashBytesMax: 1_024 * MiB,
  /** The same of one folder, in files and folders below it. */
  approvalEntriesMax: 1_000,
  /** A reason that a person gives, in UTF-16 units. */
  approvalReasonMax: 1_000,
  /** Who answers, in UTF-16 units. */
  approvalByMax: 200,
  /** Answered requests that are still known, for whoever answers once more. */
  approvalsKnownMax: 1_000,

  /** What agents print while `gatehouse run` asks a person, in UTF-16 units; the rest is left out on the terminal. */
  outputHeldMax: 1 * MiB,
  /** What is typed so soon after a question was shown is no answer to it, in ms. */
  approvalTypedMs: 500,
  /** The name of a label, in characters: it stands in every row and entry that carries it. */
  labelLengthMax: 32,
  /** Labels of one process, file, message, rule or result; a process that would pass it is ended. */
  labelsMax: 32,
  /** Files and folders of one host mount whose labels are kept; past it what carries new ones is not written. */
  hostLabelsMax: 10_000,
  /** Values released for one process and not used yet: which of them it uses next says something about the rest. */
  releasesMax: 16,
  /** Who released a value, and why, in characters each: both stand in the record. */
  releaseTextMax: 400,
  /** One text that an extraction gives, in characters: a word, a name, an address; not a page. */
  extractTextMax: 128,
  /** Values of an enum in an extraction's schema. */
  extractEnumMax: 256,
  /** A pattern in an extraction's schema, in characters. */
  extractPatternMax: 256,
  /** Its parts: sets of characters, each with how often. Matching takes at most that times the square of the text's length. */
  extractPartsMax: 16,
  /** How long an extraction takes at most where its budget says nothing, in ms; then it has failed. */
  extractMs: 60_000,
  /** Which part an extraction gets of what is left to its parent, of what its own budget does not name: one in so many. */
  extractShare: 10,
  /** Which part of what may be recorded about a run an extraction may fill: one in so many. */
  extractEvidenceShare: 16,

  /** A policy document, in bytes. */
  policyBytesMax: 1 * MiB,
  /** A policy that an agent gives to its child, as JSON in UTF-16 units: reading it keeps the kernel from all else. */
  childPolicyMax: 32 * KiB,
  /** Rules in one policy. */
  policyRulesMax: 20_000,
  /** Policies that one process answers to at once: the kernel's, its parents' and its own. */
  policiesMax: 64,
  /** Calls that a `rateLimit` looks back on: the time of each is kept. */
  rateCallsMax: 10_000,
  /** Rules with `once` or `rateLimit` whose use is counted for one run; past it they permit nothing. */
  talliesMax: 256,
  /** The text of one condition, in UTF-16 units. */
  conditionMax: 2_048,
  /** Nodes in the syntax tree of one condition. */
  conditionNodesMax: 256,
  /** Nesting of parentheses, lists and accesses in one condition. */
  conditionDepthMax: 32,
  /** Elements of one argument that a condition looks at, all together; past it the condition forbids. */
  conditionListMax: 1_000,
  /** States in which patterns are told apart, when policies are compared; past it the comparison is a sample. */
  atomStatesMax: 10_000,
  /** Requests of one action with which policies are compared. */
  probesMax: 50_000,
  /** Rules with a condition in one policy: each is compiled for each action that it covers. */
  policyConditionsMax: 2_000,
  /** Steps of all conditions of one decision: some 10 ms, in which nothing else of the kernel runs. Past it they forbid. */
  conditionStepsMax: 100_000,
  /** Texts of one run's task whose origin is remembered, in UTF-16 units; what is past it is unknown. */
  originTaskMax: 256 * KiB,
  /** The same for its trusted and for its untrusted results, each: the newest are kept. */
  originTextsMax: 1 * MiB,
  /** Texts of one result: reading 256 KiB into the index takes some 5 ms, in which nothing else of the kernel runs. */
  originResultMax: 256 * KiB,
  /** What its agents sent; past it no result is trusted any more. It is searched whole. */
  originSentMax: 512 * KiB,
  /** All of these in all runs of a kernel, in UTF-16 units; their index takes some four bytes more for each. */
  originRoomMax: 32 * MiB,
  /** A value whose origin is asked for, in UTF-16 units; a longer one is unknown. */
  originValueMax: 16 * KiB,
  /** A shorter value, in UTF-16 units, stands in results by chance: only the task gives it an origin. */
  originValueMin: 3,
  /** Different questions about history in the policies of one process, and of one run. */
  historyQueriesMax: 64,
  /** Calls in the window of one question whose times are kept; past it what asks for their number forbids. */
  historyTimesMax: 1_024,
  /** Times and names of agents that are kept for all questions of one run. */
  historyRunMax: 65_536,
  /** The same for all questions about agents over all runs. */
  historyLastingMax: 1_048_576,
  /** Questions about agents over all runs that policies of the application have asked; the oldest leave. */
  historyLastingQueriesMax: 256,
  /** Agents whose names are kept for one question. */
  historyAgentsMax: 256,
  /** The first calls of a run that are kept whole, for questions that come with another policy. */
  historyFirstMax: 256,
  /** Evidence that is read when a policy asks about earlier runs, in bytes: the newest; some second. */
  historyReadBytes: 64 * MiB,
  /** Agents of earlier runs and of this one that are counted for. */
  historyNamesMax: 10_000,
  /** How often a call may follow itself until SIGLOOP, at most: what is compared has to be kept. */
  loopRepeatsMax: 10_000,
  /** A suite of tasks and attacks that a policy is measured with, in bytes: the largest known one has 0.5 MB. */
  suiteBytesMax: 64 * MiB,
  /** Calls of one task of it. */
  suiteCallsMax: 1_000,
  /** Agents whose rules about any resource one index keeps at hand. */
  indexedPrincipalsMax: 256,
  /** Policies in one Cedar file: each decision looks at all of them, a thousand take some 2 ms. */
  cedarPoliciesMax: 1_000,
  /** A module of compiled Rego, in bytes. */
  regoModuleBytesMax: 16 * MiB,
  /** Memory of one module of compiled Rego, in pages of WebAssembly, 64 KiB each. */
  regoPagesMax: 1_024,
  /** What a decision in another language is asked about, in UTF-16 units: resource, labels and arguments together. */
  engineTextMax: 256 * KiB,
  /** Values in it; each costs some 5 µs. */
  engineValuesMax: 1_000,
  /** What a decision in another language may take, in ms; one that took longer forbids. It cannot be stopped on the way. */
  engineDecisionMs: 1_000,
  /** As much of what another language's engine says is shown, in UTF-16 units. */
  engineReasonMax: 400,
  /** Rules that one answer of a Rego policy names. */
  engineRulesMax: 64,
  /** Policies that extend each other in a row. */
  policyExtendsMax: 8,
  /** Nesting of a policy document; the language needs four levels. */
  policyDepthMax: 8,
  /** Problems that one refused policy names; the first ones are what gets read. */
  policyProblemsMax: 20,
  /** One pattern in a rule, in UTF-16 units. */
  patternMax: 1_024,
  /** Wildcards in one pattern, so that no pattern costs much to match. */
  patternWildcardsMax: 16,
  /** Patterns or actions in one list of a rule. */
  patternsMax: 1_024,
  /** Evidence in memory about one process and its children, in bytes; past it they end, so that others can go on. */
  processEvidenceMemoryBytes: 64 * MiB,
  /** The same for evidence on disk. */
  processEvidenceDiskBytes: 4_096 * MiB,
  /** How often one process is made again after the end of its cell: what ends every cell is not begun for ever. */
  rebuildsMax: 3,
  /** What may be on record about a process that is made again, in bytes: its record is read for that, and its turns are repeated. */
  rebuildBytesMax: 256 * MiB,
  /** Entries that are done again with one look at their texts, when a kernel goes on where another one ended. */
  rebuildWindowEntries: 20_000,
  /** Entries from one snapshot of the kernel's state to the next: what a kernel that goes on then does again. */
  snapshotEntries: 16_384,
  /** As many times as long as the work for one snapshot took, the kernel does other things before the next. */
  snapshotRest: 50,
  /** Payloads that snapshots name, of all files in memory: some 25 MB. With more of them no snapshot is made. */
  snapshotPiecesMax: 262_144,
  /** One snapshot, in bytes; a larger one is not kept. */
  snapshotBytesMax: 64 * MiB,
  /** Snapshots that are kept beside a log: the newest. */
  snapshotsKept: 4,
  /** Entries of its own that /audit shows a process: the newest. */
  auditEntriesMax: 1_000,
  /** Entries kept for /audit of all processes, in UTF-16 units; past it those of the process longest silent go. */
  auditBytesMax: 64 * MiB,
  /** Evidence lines that wait for their write; past it the next append writes first. */
  evidenceBacklogMax: 4_096,
  /** One segment of the log, in bytes; then the next begins. */
  evidenceSegmentBytes: 64 * MiB,
  /** One turn of a replay, in ms: twice what it may have taken, on a machine that may be slower. */
  replayTurnMs: 60_000,
  /** Texts of a recorded process that a replay holds at once, in bytes, unless one turn alone has more. */
  replayWindowBytes: 32 * MiB,
  /** Evidence text that waits for its write, in UTF-16 units; past it the next append writes first. */
  evidenceBacklogBytes: 8 * MiB,
  /** What a log in memory may hold, in UTF-16 units; past it nothing more happens. */
  evidenceMemoryBytes: 256 * MiB,
  /** Rows of a timeline that wait for the end of a call before them; past it the end is a row of its own. */
  reportRowsHeld: 1_000,
  /** Calls without an end, and processes, that a reader of evidence keeps in mind: the newest. */
  reportOpenMax: 100_000,
  /** Names that a reader of evidence counts one by one; the rest is counted together. */
  reportNamesMax: 1_000,
  /** Entries that are looked at until what was found is written, and a reader that has gone is noticed. */
  reportPace: 2_000,
  /** Spans in one line of an OpenTelemetry export. */
  reportSpansMax: 512,
  /** A manifest of a run or another file about one that is read back, in bytes: it names files, 100 bytes each. */
  manifestBytesMax: 16 * MiB,
  /** As much of one payload is shown to a person, in UTF-16 units. */
  payloadShownMax: 4_000,
  /** One line of evidence, in bytes: the largest reply with every character escaped. */
  evidenceLineBytesMax: 256 * MiB,
  /**
   * A text that is kept beside the log, in bytes: programs and replies fit, and escaped it stays a line. Of a larger
   * one only the digest is kept, and its entry says so (`kept: false`).
   */
  evidencePayloadBytesMax: 40 * MiB,
  /** Payloads that are compressed as one piece, in bytes before: as much is unpacked to read one. A longer line is one piece. */
  evidenceFrameBytes: 128 * KiB,
  /** A pack unpacked, in bytes: its lines until the segment ends, with the last backlog. More is refused unread. */
  evidencePackBytesMax: 512 * MiB,
  /** An index of one segment, in bytes: 8 for each payload or block; larger ones are not used. */
  evidenceIndexBytesMax: 64 * MiB,
  /** The place of an entry is looked for by halves until so much is left, in bytes; that is read through. */
  evidenceSearchBytes: 16 * KiB,
  /** A segment of the log is indexed by blocks, in bytes: each is read whole to find an entry of a run. */
  evidenceBlockBytes: 4 * KiB,
  /** More payloads than this are looked up by reading each index whole, fewer by halves. */
  evidenceLookupsMax: 32,
  /** Payloads removed in one go; the rest follows in the next, each on record. */
  removedPayloadsMax: 200_000,
  /** Payloads that an entry about a removal names one by one; of more it says how many. */
  removedNamedMax: 64,
  /** Retention is applied again after so long, in ms: an hour. */
  retentionEveryMs: 3_600_000,
  /** Lines between two pauses of what reads a whole record beside running processes; about a millisecond. */
  evidencePauseLines: 500,
  /** Texts that a backtest looks up at a time. */
  backtestTextsMax: 100_000,
  /** How long they are together, in bytes. */
  backtestTextBytes: 64 * MiB,
  /** Policies of agents that a backtest keeps compiled. */
  backtestPoliciesMax: 1_000,
  /** Labels of which every choice is tried where it cannot be told which of them a process would carry. */
  backtestLabelsMax: 4,
  /** Files through which a backtest follows labels; with more, any file may carry them. */
  backtestPathsMax: 100_000,
  /** Rows of a backtest's table, and runs that it names; the rest is counted. */
  backtestRowsMax: 1_000,
  /** Memory that is kept for lines that wait to be written, of each stream, in bytes. */
  evidenceWaitingBytes: 1 * MiB,
  /** How much of an evidence file is read at a time, in bytes. */
  evidenceReadBytes: 256 * KiB,
  /** Entries after which a checkpoint is signed: few, so that little of the end is uncovered, and a signature costs each little. */
  evidenceCheckpointEntries: 4_096,
  /** The longest that an entry waits for a checkpoint, in ms: the end that a death of the kernel leaves uncovered. */
  evidenceCheckpointMs: 5_000,
  /** How much of the end of a log is read first, in bytes, to find its last checkpoint; then twice as much, and so on. */
  evidenceTailBytes: 1 * MiB,
  /** A file with a key, a checkpoint or verifiers, in bytes; none of ours is near it. */
  evidenceKeyFileBytesMax: 64 * KiB,
  /** Nesting of a document that is hashed: arguments within a record within a bundle. A cycle ends here. */
  canonicalDepthMax: 128,
  /** Kinds of objects, by their keys, that the serializer of evidence remembers; past it it begins anew. */
  canonicalFormsMax: 1_024,
  /** An object with more keys is of no kind that is remembered. */
  canonicalFormKeysMax: 32,
  /** Neither is one with a longer key, in UTF-16 units. */
  canonicalFormKeyLength: 64,
})
