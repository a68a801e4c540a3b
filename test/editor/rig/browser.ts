/** Debian's Chromium, driven by Playwright; its profile is a new one each time. */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext } from 'playwright-core';

/** @param runtime an existing folder for what it would leave in XDG_RUNTIME_DIR; the caller removes it. */
export async function openBrowser(runtime: string): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    env: { ...process.env, XDG_RUNTIME_DIR: runtime },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Whose pages share what the browser compiled for the first. Nothing moves in them: each picture is drawn by the processor. */
export function newContext(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
}

function chromiumPath(): string {
  const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
    existsSync(path),
  );
  if (found === undefined)
    throw new Error('The editor is tested in Chromium: install it (Debian: apt-get install chromium).');
  return found;
}
