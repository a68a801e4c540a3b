/** The language-model tools: what an agent of the editor may call. What changes a server is confirmed by a person each time. */
import * as vscode from 'vscode';
import { confirmationText, notConfirmed } from '../agents/confirmation.ts';
import { publicError } from '../report/publicError.ts';
import { readInput } from '../agents/input.ts';
import type { ActRequest, AgentOutcome } from '../agents/requests.ts';
import type { AgentSession } from '../agents/session.ts';
import { editorTools, type AgentTool } from '../agents/tools.ts';
import { logRun } from '../editor/log.ts';
import { createAnswer } from '../editor/prompts.ts';
import { asDurantError, bug, DurantError } from '../errors.ts';
import type { App } from './commandContext.ts';
import { deployStage } from './deploy.ts';
import { rollback } from './rollback.ts';
import { conductRun } from './runInEditor.ts';

export function registerAgentTools(app: App, session: AgentSession): vscode.Disposable {
  return vscode.Disposable.from(
    ...editorTools().map((tool) =>
      vscode.lm.registerTool<object>(tool.name, {
        prepareInvocation: ({ input }) => prepare(tool, input, session),
        invoke: async ({ input }, token) => {
          const ended = new AbortController();
          const cancel = token.onCancellationRequested(() => {
            ended.abort();
          });
          try {
            const signal = AbortSignal.any([app.signal, ended.signal]);
            return resultOf((await call(app, session, { tool, input, signal })).result);
          } catch (error) {
            return resultOf({ error: publicError(asDurantError(error)) });
          } finally {
            cancel.dispose();
          }
        },
      }),
    ),
  );
}

function resultOf(result: object): vscode.LanguageModelToolResult {
  return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(JSON.stringify(result))]);
}

/** What VS Code shows while a tool is called, and asks before. Nothing is run for it. */
function prepare(tool: AgentTool, input: object, session: AgentSession): vscode.PreparedToolInvocation {
  const { t } = vscode.l10n;
  const stage = 'stage' in input && typeof input.stage === 'string' ? input.stage : '';
  switch (tool.name) {
    case 'durant_status':
      return { invocationMessage: t('Looking at what is live') };
    case 'durant_check':
      return { invocationMessage: t('Checking durant.conf') };
    case 'durant_log':
      return { invocationMessage: t('Reading the runs of {0}', stage) };
    case 'durant_explain_failure':
      return { invocationMessage: t('Looking for what failed in {0}', stage) };
    case 'durant_dry_run':
      return {
        invocationMessage: t('Dry run of {0}', stage),
        ...('build' in input && input.build === true
          ? {
              confirmationMessages: {
                title: t('Run before_deploy of {0} on this machine?', stage),
                message: t('The dry run lists what it makes. It runs in a scratch folder.'),
              },
            }
          : {}),
      };
    case 'durant_deploy':
    case 'durant_rollback': {
      const plan = planOf(tool, input, session);
      // Without one the call is refused.
      if (plan === undefined) return {};
      const { question, lines } = confirmationText(plan, t);
      // As text: nothing in it is a link.
      const message = new vscode.MarkdownString().appendText(lines.join('\n'));
      return { invocationMessage: question, confirmationMessages: { title: question, message } };
    }
  }
}

function planOf(tool: AgentTool, input: object, session: AgentSession) {
  try {
    return session.planOf(tool, input);
  } catch {
    return undefined;
  }
}

interface ToolCall {
  readonly tool: AgentTool;
  readonly input: object;
  readonly signal: AbortSignal;
}

async function call(
  app: App,
  session: AgentSession,
  { tool, input, signal }: ToolCall,
): Promise<AgentOutcome> {
  const file = tool.effect === 'acts' ? '' : fileOf(app, readInput(tool, input).text);
  const request = session.request(tool, input, file);
  if ('plan' in request) return act(app, session, request, signal);
  const outcome = await app.engine.call('agent', request, {
    signal,
    emit: logRun(app.log, request.stage ?? 'durant.conf'),
    answer: createAnswer(app.secrets),
  });
  session.learn(request, outcome);
  return outcome;
}

/** Asked here in any case: VS Code may have been told to allow tools without a question. */
async function act(
  app: App,
  session: AgentSession,
  request: ActRequest,
  signal: AbortSignal,
): Promise<AgentOutcome> {
  const { plan, file, stage } = request;
  const { question, button, lines } = confirmationText(plan, vscode.l10n.t);
  if (vscode.workspace.isTrusted) {
    const detail = lines.join('\n\n');
    const chosen = await vscode.window.showWarningMessage(question, { modal: true, detail }, button);
    if (chosen !== button || signal.aborted) throw notConfirmed();
  }
  const cancel = (): void => {
    app.runs.cancel({ file, stage });
  };
  let outcome: AgentOutcome | undefined;
  signal.addEventListener('abort', cancel, { once: true });
  try {
    await conductRun(app, {
      stage: { file, stage },
      action: plan.action,
      dryRun: false,
      call: async (options) => {
        outcome = await app.engine.call('agent', { ...request, confirmed: true }, options);
        session.learn(request, outcome);
        const { finished, error } = outcome;
        if (finished !== undefined) return finished;
        if (error === undefined) throw bug('A call of an agent ended without a result.');
        const { code, message, summary = message, ...details } = error;
        throw new DurantError(code, summary, details);
      },
      retry: () =>
        void (plan.action === 'deploy'
          ? deployStage(app, {
              stage: { file, stage },
              ref: plan.ref,
              commit: plan.commit ?? undefined,
              plan: plan.saved,
            })
          : rollback(app, { file, stage, release: plan.release })),
    });
  } finally {
    signal.removeEventListener('abort', cancel);
  }
  if (outcome !== undefined) return outcome;
  throw new DurantError(
    'usage',
    `The run of ${stage} did not begin: the folder is not trusted, or another run of the stage is in progress in this window.`,
  );
}

/** The durant.conf that a call is about. @throws {DurantError} `usage` where that is not clear. */
function fileOf(app: App, text: (name: string) => string | undefined): string {
  const all = app.store.configurations();
  const config = text('config');
  const stage = text('stage');
  const path = (file: string): string => vscode.workspace.asRelativePath(file);
  const fitting =
    config === undefined
      ? all.filter(({ stages }) => stage === undefined || stages.some((each) => each.stage === stage))
      : all.filter(({ file }) => [path(file), file].includes(config));
  // One that lacks the stage says so itself.
  const [first, second] = fitting.length === 0 && config === undefined && all.length === 1 ? all : fitting;
  if (first !== undefined && second === undefined) return first.file;
  const names = all.map(({ file }) => path(file)).join(', ');
  throw all.length === 0
    ? new DurantError('config-not-found', 'No folder of this window has a durant.conf.', {
        remedy: 'A person can write one with Durant: Create durant.conf.',
      })
    : new DurantError('usage', 'This window has several durant.conf files.', {
        remedy: `Name one of them as config: ${names}`,
      });
}
