import assert from 'node:assert/strict';
import { parseArgs } from '../../src/cli/args.ts';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import type { Invocation } from '../../src/cli/parser.ts';

function parsed(line: string): Invocation {
  const result = parseArgs(line === '' ? [] : line.split(' '));
  assert.equal(result.kind, 'run', JSON.stringify(result));
  return result.kind === 'run' ? result.invocation : assert.fail();
}

function refused(line: string): string {
  const result = parseArgs(line === '' ? [] : line.split(' '));
  return result.kind === 'usage-error' ? result.message : assert.fail(`${line} was accepted`);
}

const deploy = {
  name: 'deploy',
  stage: 'production',
  plan: undefined,
  out: undefined,
  dryRun: false,
  build: false,
  detailedExitcode: false,
  ref: undefined,
  on: { servers: [], roles: [] },
  again: false,
  waitMs: undefined,
  yes: false,
} as const;

describe('the command line', () => {
  const commands: readonly (readonly [line: string, expected: object])[] = [
    ['deploy production', deploy],
    ['-n deploy production', { ...deploy, dryRun: true }],
    ['deploy -n production', { ...deploy, dryRun: true }],
    ['deploy production --dry-run', { ...deploy, dryRun: true }],
    ['--dry-run deploy production --build', { ...deploy, dryRun: true, build: true }],
    ['deploy -n --detailed-exitcode production', { ...deploy, dryRun: true, detailedExitcode: true }],
    ['deploy --ref v1.2 production', { ...deploy, ref: 'v1.2' }],
    ['deploy --ref=v1.2 --again --yes production', { ...deploy, ref: 'v1.2', again: true, yes: true }],
    [
      'deploy --server a --server b:22 --role web production',
      { ...deploy, on: { servers: ['a', 'b:22'], roles: ['web'] } },
    ],
    ['deploy --wait production', { ...deploy, waitMs: 900_000 }],
    ['deploy production --wait', { ...deploy, waitMs: 900_000 }],
    ['deploy --wait=90 production', { ...deploy, waitMs: 90_000 }],
    ['deploy --wait=2h production', { ...deploy, waitMs: 7_200_000 }],
    ['deploy -- -odd', { ...deploy, stage: '-odd' }],
    ['deploy -- --wait', { ...deploy, stage: '--wait' }],
    ['-n deploy production --out p.json', { ...deploy, dryRun: true, out: 'p.json' }],
    ['deploy --plan p.json --yes', { ...deploy, stage: '', plan: 'p.json', yes: true }],
    ['rollback s', { name: 'rollback', stage: 's', release: undefined, dryRun: false, yes: false }],
    ['-n rollback s r --yes', { name: 'rollback', stage: 's', release: 'r', dryRun: true, yes: true }],
    ['releases s', { name: 'releases', stage: 's' }],
    ['unlock --force s', { name: 'unlock', stage: 's', force: true }],
    ['status', { name: 'status', stage: undefined }],
    ['status s', { name: 'status', stage: 's' }],
    ['adopt -n s', { name: 'adopt', stage: 's', dryRun: true }],
    ['check', { name: 'check', stage: undefined, connect: false }],
    ['check --connect s', { name: 'check', stage: 's', connect: true }],
    ['config --raw', { name: 'config', stage: undefined, raw: true }],
    ['config s', { name: 'config', stage: 's', raw: false }],
    ['goals s', { name: 'goals', stage: 's' }],
    ['prune s', { name: 'prune', stage: 's', keep: undefined, dryRun: false, yes: false }],
    ['prune -n -k 2 --yes s', { name: 'prune', stage: 's', keep: 2, dryRun: true, yes: true }],
    ['prune --keep=-1 s', { name: 'prune', stage: 's', keep: -1, dryRun: false, yes: false }],
    ['ssh s', { name: 'ssh', stage: 's', server: undefined }],
    ['ssh s web2', { name: 'ssh', stage: 's', server: 'web2' }],
    ['run s -- ls -l', { name: 'run', stage: 's', command: "ls '-l'", on: { servers: [], roles: [] } }],
    ['completion zsh', { name: 'completion', shell: 'zsh' }],
    ['mcp', { name: 'mcp', allowDeploy: false }],
    ['mcp --allow-deploy', { name: 'mcp', allowDeploy: true }],
    ['__complete deploy --ref', { name: '__complete', words: ['deploy', '--ref'] }],
    ['stages', { name: 'stages' }],
    ['init', { name: 'init', all: false }],
    ['init --all', { name: 'init', all: true }],
  ];
  for (const [line, expected] of commands)
    it(`durant ${line}`, () => {
      const { name, wanted } = parsed(line).command;
      assert.deepEqual({ name, ...wanted }, expected);
    });

  it('takes global options on either side of the command', () => {
    const expected = { config: 'f', json: true, color: false, verbose: true };
    assert.deepEqual(parsed('--config f --json --no-color --verbose stages').global, expected);
    assert.deepEqual(parsed('stages --verbose --no-color --json --config=f').global, expected);
    assert.deepEqual(parsed('stages').global, {
      config: undefined,
      json: false,
      color: true,
      verbose: false,
    });
  });

  const refusals: readonly (readonly [line: string, says: RegExp])[] = [
    ['', /No command given.*deploy, rollback/],
    ['depoly production', /Unknown command 'depoly'\. Did you mean deploy\?/],
    ['help nothing', /Unknown command 'nothing'/],
    ['deploy', /Name the STAGE to deploy, or a plan.*durant deploy --help/],
    ['deploy a b', /Too many arguments/],
    ['deploy --sever x y', /Unknown option '--sever'\. Did you mean --server\?/],
    ['deploy --wait=soon x', /30, 30s, 5m or 1h/],
    ['deploy --build x', /--build belongs to a dry run: add -n/],
    ['deploy --detailed-exitcode x', /--detailed-exitcode belongs to a dry run/],
    ['-n status', /'status' has no dry run/],
    ['unlock --yes s', /Unknown option '--yes'/],
    ['deploy --ref= x', /empty/],
    ['prune -k 0 s', /from 1 up, or -1/],
    ['goals -n s', /'goals' has no dry run/],
    ['run s', /missing required argument 'COMMAND'/i],
    ['ssh --json s', /'ssh' is interactive and does not support --json/],
    ['completion tcsh', /no completion for 'tcsh', only for bash, zsh, fish/],
  ];
  for (const [line, says] of refusals)
    it(`refuses durant ${line}`, () => {
      assert.match(refused(line), says);
    });

  it('knows from the refused arguments how to show the refusal', () => {
    const result = parseArgs(['deploy', '--json']);
    assert.ok(result.kind === 'usage-error' && result.json && result.command === 'deploy');
  });

  it('helps: the whole, and each command with every option', () => {
    for (const argv of [['--help'], ['help'], ['deploy', '-h'], ['-h']])
      assert.equal(parseArgs(argv).kind, 'text');
    const help = parseArgs(['--help']);
    assert.ok(help.kind === 'text');
    for (const { name } of COMMANDS) assert.match(help.text, new RegExp(`^  ${name}\\b`, 'm'));
    for (const status of ['0 ', '1 ', '2 ', '3 ', '4 ', '130 '])
      assert.ok(help.text.includes(`\n  ${status}`));
    const deployHelp = parseArgs(['help', 'deploy']);
    assert.ok(deployHelp.kind === 'text');
    for (const option of ['--dry-run', '--build', '--ref', '--server', '--again', '--wait', '--yes'])
      assert.ok(deployHelp.text.includes(option), option);
    assert.match(help.text, /^ {2}-n, --dry-run /m);
    for (const { name } of COMMANDS) {
      const own = parseArgs(['help', name]);
      for (const option of ['--config <FILE>', '--json', '--no-color', '--verbose'])
        assert.ok(own.kind === 'text' && own.text.includes(option), `${name} ${option}`);
    }
  });

  it('prints its version', () => {
    const result = parseArgs(['-v']);
    assert.ok(result.kind === 'text' && /^durant \d+\.\d+\.\d+\n$/.test(result.text));
  });
});
