/** Logging in by what a person knows: a password, or the questions of keyboard-interactive (RFC 4256). */
import { DurantError } from '../../errors.ts';
import {
  answer,
  expectReply,
  loginWords,
  type AuthenticationContext,
  type NextMessage,
  type Reply,
} from './authContext.ts';
import type { AuthenticationMessage, KeyboardPrompt, Ssh2Internals } from './internals.ts';

/** Answers the server's questions; a password is asked for anew up to three times. */
export async function tryKeyboard(
  io: Ssh2Internals,
  next: NextMessage,
  context: AuthenticationContext,
): Promise<Reply | undefined> {
  io.protocol.authKeyboard(context.settings.user);
  let asked = false;
  for (;;) {
    const message = await next();
    if (message.kind !== 'questions') {
      const reply = expectReply(message);
      if (reply.kind === 'failure' && !reply.partial) {
        // Refused without a question: not set up on the server. Refused with: wrong, may be asked again.
        if (!asked || context.progress.passwordAttempts >= context.settings.passwordPrompts)
          context.progress.exhausted.add('keyboard-interactive');
        if (asked) context.progress.tried.push('keyboard-interactive (refused)');
      }
      return reply;
    }
    const answers = await answerQuestions(message, context);
    if (answers === undefined) {
      context.progress.exhausted.add('keyboard-interactive').add('password');
      // An empty set of answers ends the exchange with a refusal.
      io.protocol.authInfoRes(message.prompts.map(() => ''));
      const reply = await answer(next);
      return reply;
    }
    asked = asked || message.prompts.length > 0;
    io.protocol.authInfoRes(answers);
  }
}

async function answerQuestions(
  message: Extract<AuthenticationMessage, { kind: 'questions' }>,
  context: AuthenticationContext,
): Promise<string[] | undefined> {
  const answers: string[] = [];
  if (message.prompts.length > 0) context.progress.passwordAttempts += 1;
  for (const question of message.prompts) {
    const reply = asksForPassword(question)
      ? await askPassword(context, question.prompt)
      : await context.untimed(
          context.prompt(
            {
              kind: 'one-time-code',
              server: context.server,
              message: [
                message.name,
                message.instructions,
                `(${loginWords(context)}) ${question.prompt.trim()}`,
              ]
                .map((text) => text.trim())
                .filter((text) => text !== '')
                .join('\n'),
              echo: question.echo,
            },
            context.signal,
          ),
        );
    if (reply === undefined) {
      context.progress.unanswered = `“${question.prompt.trim()}” was not answered`;
      return undefined;
    }
    answers.push(reply);
  }
  return answers;
}

/** One question that hides its answer and speaks of a password, not of a code. */
function asksForPassword({ prompt, echo }: KeyboardPrompt): boolean {
  const code = /one.?time|otp|token|code|verification|pin\b|duo|passcode/i;
  const password =
    /pass ?word|passwort|passphrase|mot de passe|contraseña|senha|wachtwoord|hasło|пароль|密码|パスワード/i;
  return !echo && password.test(prompt) && !code.test(prompt);
}

/** @returns undefined where there is no password to try. */
export async function tryPassword(
  io: Ssh2Internals,
  next: NextMessage,
  context: AuthenticationContext,
): Promise<Reply | undefined> {
  const { progress, settings } = context;
  if (progress.passwordAttempts >= settings.passwordPrompts) {
    progress.exhausted.add('password');
    return undefined;
  }
  progress.passwordAttempts += 1;
  const password = await askPassword(context, undefined);
  if (password === undefined) {
    progress.unanswered = 'the password was not given';
    progress.exhausted.add('password');
    return undefined;
  }
  io.protocol.authPassword(settings.user, password);
  const message = await next();
  if (message.kind === 'password-change')
    throw new DurantError(
      'authentication-failed',
      `The password of ${settings.user} on ${context.server} has expired.`,
      { remedy: 'Log in with ssh in a terminal and change it.', server: context.server },
    );
  const reply = expectReply(message);
  if (reply.kind === 'failure' && !reply.partial) progress.tried.push('password (refused)');
  return reply;
}

async function askPassword(
  context: AuthenticationContext,
  prompt: string | undefined,
): Promise<string | undefined> {
  const { settings, progress, passwords } = context;
  const account = `${settings.user}@${settings.hostname}:${settings.port}`;
  const known = passwords.get(account);
  if (known !== undefined && progress.passwordAttempts === 1) return known;
  const again = progress.passwordAttempts > 1 ? 'Permission denied, please try again. ' : '';
  const password = await context.untimed(
    context.prompt(
      {
        kind: 'password',
        server: context.server,
        message: `${again}${prompt === undefined ? `Password for ${loginWords(context)}` : `(${loginWords(context)}) ${prompt.trim()}`}`,
        user: settings.user,
        host: settings.hostname,
        port: settings.port,
        attempt: progress.passwordAttempts,
      },
      context.signal,
    ),
  );
  if (password !== undefined) passwords.set(account, password);
  return password;
}
