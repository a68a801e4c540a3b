/** What a run is at, in words of people who did not write it. Pure. */
import { formatDuration, type Translate } from '../format.ts';
import { printable } from '../printable.ts';
import { currentStep, percentOf, type RunProgress } from '../report/progress.ts';

/** The step's own name where it is a goal's, or one that has no other. */
export function stepWord(step: string, t: Translate): string {
  switch (step) {
    case 'resolve':
      return t('Read durant.conf');
    case 'connect':
      return t('Connect');
    case 'fetch':
      return t('Fetch the commit');
    case 'fetch_release':
      return t('Fetch the release');
    case 'checkout':
      return t('Check out');
    case 'before_deploy':
      return t('Build');
    case 'prepare':
      return t('Prepare');
    case 'lock':
      return t('Lock');
    case 'release':
      return t('New release');
    case 'upload':
    case 'update_code':
      return t('Send files');
    case 'env_file':
      return t('Write the environment');
    case 'shared':
      return t('Link shared files');
    case 'copy_dirs':
      return t('Copy folders');
    case 'writable':
      return t('Set permissions');
    case 'install':
    case 'vendors':
      return t('Install dependencies');
    case 'clear_paths':
      return t('Remove what is not needed');
    case 'release_command':
      return t('Run release commands');
    case 'symlink':
      return t('Switch');
    case 'services':
      return t('Start services');
    case 'health_check':
      return t('Check health');
    case 'wave_pause':
      return t('Watch before the next wave');
    case 'cleanup':
      return t('Clean up');
    case 'unlock':
      return t('Unlock');
    case 'success':
      return t('Finish');
    default:
      return step;
  }
}

/** What it sends, where it sends: `Send 12 of 480 files`; else the step. */
export function currentWord(progress: RunProgress, t: Translate): string {
  const { step } = currentStep(progress);
  const sending = [...progress.servers.values()].filter(
    (server) => server.state === 'running' && server.step === step && server.transfer !== undefined,
  );
  const [slowest] = sending
    .flatMap(({ transfer }) => transfer ?? [])
    .toSorted((a, b) => a.files - a.totalFiles - (b.files - b.totalFiles));
  return slowest === undefined || slowest.totalFiles === 0
    ? stepWord(step, t)
    : t('Send {0} of {1} files', slowest.files, slowest.totalFiles);
}

/** More of a line of output than this does not fit into a notification. */
const LINE = 80;

/**
 * What the notification of a run says: what it is at, on how many servers of how many, how far it is, for how long, and the last line of
 * output.
 * @param ms since it began. @param line empty for none.
 */
export function progressMessage(progress: RunProgress, ms: number, line: string, t: Translate): string {
  const { step, servers } = currentStep(progress);
  const all = progress.servers.size;
  const where = servers === 0 || all < 2 ? '' : ` ${t('on {0} of {1} servers', servers, all)}`;
  const last = printable(line).trim();
  const cut = last.length > LINE ? `${last.slice(0, LINE)}…` : last;
  return [
    ...(step === '' ? [] : [`${currentWord(progress, t)}${where}`]),
    `${String(percentOf(progress))} %`,
    ...(ms < 2000 ? [] : [formatDuration(Math.floor(ms / 1000) * 1000)]),
    ...(cut === '' ? [] : [cut]),
  ].join(' · ');
}
