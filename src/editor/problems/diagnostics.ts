/** Problems of runs in VS Code's list: what their commands printed, at its file, and the command that failed, at its line of durant.conf. */
import { access, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { positionAt } from '../../config/syntax/document.ts';
import { parseConf } from '../../config/syntax/parse.ts';
import { findNamed } from '../../config/syntax/sections.ts';
import { resolveStage } from '../../config/values/stage.ts';
import { printable } from '../../printable.ts';
import type { StageArgument } from '../ids.ts';
import { candidatePaths, type FailedCommand, type OutputProblem } from './collect.ts';
import type { Matcher, Severity } from './matcher.ts';
import { guessed, matchersNamed } from './namedMatchers.ts';

export interface Problems extends vscode.Disposable {
  /** Those that a stage's durant.conf names, or those that are guessed with. */
  readonly matchersOf: (
    stage: { readonly entry: { readonly problemMatchers: readonly string[] } } | undefined,
  ) => readonly Matcher[];
  /** Those of the stage's last run are over. */
  readonly clear: (stage: StageArgument) => void;
  /** Whether any is shown. What lies in no file of the project is left out: there is nothing to open. */
  readonly show: (
    stage: StageArgument,
    run: { readonly problems: readonly OutputProblem[]; readonly failed: FailedCommand | undefined },
  ) => Promise<boolean>;
}

const SEVERITIES: Readonly<Record<Severity, vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  info: vscode.DiagnosticSeverity.Information,
};

export function createProblems(): Problems {
  const collections = new Map<string, vscode.DiagnosticCollection>();
  const collectionOf = ({ file, stage }: StageArgument): vscode.DiagnosticCollection => {
    const key = `${file}\0${stage}`;
    const known = collections.get(key);
    if (known !== undefined) return known;
    const made = vscode.languages.createDiagnosticCollection(`durant ${stage}`);
    collections.set(key, made);
    return made;
  };
  return {
    matchersOf: (stage) => {
      const names = stage?.entry.problemMatchers ?? [];
      if (names.length === 0) return guessed;
      return matchersNamed(
        names,
        vscode.extensions.all.map(({ packageJSON }) => packageJSON as unknown),
      ).matchers;
    },
    clear: (stage) => {
      collections.get(`${stage.file}\0${stage.stage}`)?.clear();
    },
    show: async (stage, { problems, failed }) => {
      const above = foldersAbove(stage.file);
      const byFile = new Map<string, vscode.Diagnostic[]>();
      const add = (file: string, diagnostic: vscode.Diagnostic): void => {
        byFile.set(file, [...(byFile.get(file) ?? []), diagnostic]);
      };
      for (const problem of problems) {
        const file = await firstThere(candidatePaths(problem, above));
        if (file !== undefined) add(file, toDiagnostic(problem));
      }
      if (failed !== undefined) {
        const place = await placeOf(stage, failed);
        if (place !== undefined) add(stage.file, place);
      }
      if (byFile.size === 0) return false;
      collectionOf(stage).set([...byFile].map(([file, all]) => [vscode.Uri.file(file), all]));
      return problems.length > 0 && [...byFile.keys()].some((file) => file !== stage.file);
    },
    dispose: () => {
      for (const collection of collections.values()) collection.dispose();
    },
  };
}

/** The project's folder and those above it up to the workspace's: in one of them the clone's root has its counterpart. */
function foldersAbove(file: string): readonly string[] {
  const root = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file))?.uri.fsPath ?? dirname(file);
  const folders: string[] = [];
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    folders.push(folder);
    if (folder === root || folder === dirname(folder)) return folders;
  }
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths)
    try {
      await access(path);
      return path;
    } catch {
      // The next one.
    }
  return undefined;
}

function toDiagnostic({ line, column, message, severity, code, source }: OutputProblem): vscode.Diagnostic {
  const start = new vscode.Position(line - 1, (column ?? 1) - 1);
  // Without an end the editor marks the word there; without a column the whole line.
  const end = column === undefined ? start.with({ character: Number.MAX_SAFE_INTEGER }) : start;
  const diagnostic = new vscode.Diagnostic(
    new vscode.Range(start, end),
    printable(message),
    SEVERITIES[severity],
  );
  diagnostic.source = source;
  if (code !== undefined) diagnostic.code = code;
  return diagnostic;
}

/** The failed command, where durant.conf has it now. */
async function placeOf(
  { file, stage }: StageArgument,
  { step, command, first }: FailedCommand,
): Promise<vscode.Diagnostic | undefined> {
  try {
    const doc = parseConf(await readFile(file, 'utf8'));
    const place = (offset: number): vscode.Position => {
      const { line, column } = positionAt(doc, offset);
      return new vscode.Position(line - 1, column - 1);
    };
    const options = [
      resolveStage(doc, stage).values.get(step)?.option,
      ...(findNamed(doc, 'goal', step)?.options.values() ?? []),
    ].filter((option) => option !== undefined);
    const lines = options.flatMap((option) => option.lines);
    const written = lines.find(({ text }) => text.trim().endsWith(command))?.range ?? options[0]?.valueRange;
    if (written === undefined) return undefined;
    const diagnostic = new vscode.Diagnostic(
      new vscode.Range(place(written.start), place(written.end)),
      first === ''
        ? vscode.l10n.t('This command failed.')
        : vscode.l10n.t('This command failed: {0}', printable(first)),
      vscode.DiagnosticSeverity.Error,
    );
    diagnostic.source = 'durant';
    return diagnostic;
  } catch {
    // It was changed or removed meanwhile.
    return undefined;
  }
}
