/**
 * The Model Context Protocol over standard input and output, by its official SDK: https://modelcontextprotocol.io. A bundle of its own,
 * which `durant mcp` alone loads. Standard output is the protocol's: nobody else may write there.
 */
import {
  inputRequired,
  inputResponse,
  McpServer,
  type CallToolResult,
  type ClientCapabilities,
  type InputRequiredResult,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { AgentOutcome } from '../agents/requests.ts';
import type { AgentTool, InputSchema } from '../agents/tools.ts';

export interface McpTools {
  readonly version: string;
  /** Said to the model when it connects. */
  readonly instructions: string;
  readonly tools: readonly AgentTool[];
  /**
   * What a person has to say yes to before the call; undefined where there is nothing to confirm. Contacts nobody.
   * @throws {DurantError} where the call cannot be made at all.
   */
  readonly question: (tool: AgentTool, input: unknown) => Question | undefined;
  /** Never rejects. */
  readonly call: (tool: AgentTool, input: unknown, options: CallOptions) => Promise<AgentOutcome>;
  /** What a call ends with that could not be begun. */
  readonly failed: (error: unknown) => AgentOutcome;
}

export interface Question {
  readonly message: string;
  /** What has to be typed. */
  readonly expect: string;
  /** What the answer is for: the plan's digest. */
  readonly id: string;
}

export interface CallOptions {
  /** `no`: asked and declined; `nobody`: the client cannot ask. */
  readonly answer: 'yes' | 'no' | 'nobody';
  readonly progress: (message: string) => void;
  readonly signal: AbortSignal;
}

/** Serves until the client closes standard input, or the signal. Runs that are under way then are cancelled, and undone first. */
export async function serveMcp(given: McpTools, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const calls = new Set<Promise<unknown>>();
  const tracked = <T>(call: Promise<T>): Promise<T> => {
    calls.add(call);
    return call.finally(() => calls.delete(call));
  };
  const handle = serveStdio(() => mcpServer(given, ended.signal, tracked));
  await new Promise<void>((resolve) => {
    const end = (): void => {
      resolve();
    };
    process.stdin.once('end', end).once('close', end);
    signal.addEventListener('abort', end, { once: true });
  });
  ended.abort();
  await Promise.allSettled(calls);
  await handle.close();
}

function mcpServer(
  given: McpTools,
  ended: AbortSignal,
  tracked: <T>(call: Promise<T>) => Promise<T>,
): McpServer {
  const { version, instructions } = given;
  const server = new McpServer(
    { name: 'durant', title: 'Durant', version },
    { instructions, capabilities: { tools: {} } },
  );
  for (const tool of given.tools)
    server.registerTool(
      tool.name,
      {
        title: tool.title,
        description: tool.description,
        inputSchema: standardSchema(tool.inputSchema),
        annotations: {
          readOnlyHint: tool.effect === 'reads',
          destructiveHint: tool.effect === 'acts',
          openWorldHint: true,
        },
      },
      (input, context) => {
        const client = capabilities(context) ?? server.server.getClientCapabilities();
        return tracked(
          callTool({ given, tool, input, canAsk: client?.elicitation !== undefined, ended, context }),
        );
      },
    );
  return server;
}

interface ToolCall {
  readonly given: McpTools;
  readonly tool: AgentTool;
  readonly input: unknown;
  readonly canAsk: boolean;
  readonly ended: AbortSignal;
  readonly context: ServerContext;
}

async function callTool(call: ToolCall): Promise<CallToolResult | InputRequiredResult> {
  const { given, tool, input, canAsk, ended, context } = call;
  const { mcpReq } = context;
  try {
    const question = given.question(tool, input);
    const answered = question === undefined ? undefined : inputResponse(mcpReq.inputResponses, question.id);
    if (question !== undefined && canAsk && answered?.kind !== 'elicit') return ask(question);
    const said = answered?.kind === 'elicit' && answered.action === 'accept' ? answered.content : undefined;
    return toResult(
      await given.call(tool, input, {
        answer: !canAsk ? 'nobody' : said?.['stage'] === question?.expect ? 'yes' : 'no',
        progress: progressOf(context),
        signal: AbortSignal.any([ended, mcpReq.signal]),
      }),
    );
  } catch (error) {
    return toResult(given.failed(error));
  }
}

function ask({ id, message, expect }: Question): InputRequiredResult {
  return inputRequired({
    inputRequests: {
      [id]: inputRequired.elicit({
        message,
        requestedSchema: {
          type: 'object',
          properties: {
            stage: { type: 'string', title: 'Stage', description: `Type ${expect} to go on.` },
          },
          required: ['stage'],
        },
      }),
    },
  });
}

function toResult({ result, ok }: AgentOutcome): CallToolResult {
  return {
    content: [{ type: 'text', text: JSON.stringify(result) }],
    structuredContent: { ...result },
    ...(ok ? {} : { isError: true }),
  };
}

/** Tells the client how far a call is, where it wants to know; that also keeps it waiting. */
function progressOf({ mcpReq }: ServerContext): CallOptions['progress'] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return () => undefined;
  let progress = 0;
  return (message) => {
    progress += 1;
    void mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken, progress, message } })
      .catch(() => undefined);
  };
}

/** What the client can do, where it says so with each request, as newer ones do. */
function capabilities({ mcpReq }: ServerContext): ClientCapabilities | undefined {
  const envelope: Readonly<Record<string, unknown>> | undefined = mcpReq.envelope;
  const said = envelope?.['io.modelcontextprotocol/clientCapabilities'];
  return typeof said === 'object' && said !== null ? said : undefined;
}

/** The schema as the SDK takes it. The input is checked where it is read. */
function standardSchema(schema: InputSchema) {
  const json = (): Record<string, unknown> => ({ ...schema });
  return {
    '~standard': {
      version: 1,
      vendor: 'durant',
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: json, output: json },
    },
  } as const;
}
