/** The eye: a whole first day with the packaged extension, by a hand in the browser; in a light and in a dark theme. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { packagedExtension } from '../../../scripts/packaged.mjs';
import { makeCliHome, type CliHome } from '../../support/cli.ts';
import { makeRepository, type Repository } from '../../support/repo.ts';
import { startSshd, type TestServer } from '../../support/sshd.ts';
import { waitFor } from '../../support/wait.ts';
import { newContext, openBrowser } from './browser.ts';
import { startEditorServer, type Age, type EditorServer } from './server.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

/** Where the pictures of the README are kept; they are taken again with DURANT_SCREENSHOTS=1. */
const pictures = resolve('media/screenshots');
export const takesPictures = process.env['DURANT_SCREENSHOTS'] === '1';

export interface Day {
  readonly age: Age;
  readonly look: 'light' | 'dark';
  readonly theme: string;
}

/** Declares the day's tests. */
export function describeFirstDay(day: Day): void {
  describe('a first day with Durant', () => {
    describe(`in VS Code (${day.age}, ${day.look})`, function () {
      let servers: readonly [TestServer, TestServer];
      let home: CliHome;
      let project: Repository;
      let scratch: string;
      let editor: EditorServer | undefined;
      let browser: Browser | undefined;
      let bench: Workbench;
      let failed = false;

      before(async function () {
        this.timeout(240_000);
        servers = await Promise.all([startSshd(), startSshd()]);
        home = await makeCliHome(servers);
        scratch = realpathSync(mkdtempSync(join(tmpdir(), 'day-')));
        mkdirSync(join(scratch, 'shop'));
        project = makeRepository(
          [
            {
              message: 'The shop opens',
              files: {
                'index.html': '<h1>Welcome</h1>\n<p>The shop is open.</p>\n',
                'css/shop.css': 'body {\n  margin: 0;\n}\n',
                'img/old-logo.svg': '<svg xmlns="http://www.w3.org/2000/svg" />\n',
              },
            },
          ],
          join(scratch, 'shop'),
        );
        const sshPath = join(home.env['PATH']?.split(':')[0] ?? '', 'ssh');
        editor = await startEditorServer({
          age: day.age,
          dataDir: join(scratch, 'd'),
          vsix: [await packagedExtension()],
          env: home.env,
          extent: takesPictures ? 'all' : 'few',
          settings: {
            'durant.sshPath': sshPath,
            'security.workspace.trust.enabled': false,
            'workbench.colorTheme': day.theme,
            'workbench.secondarySideBar.defaultVisibility': 'hidden',
            'workbench.startupEditor': 'none',
            'editor.minimap.enabled': false,
            'files.simpleDialog.enable': true,
            'extensions.ignoreRecommendations': true,
          },
        });
        browser = await openBrowser(scratch);
        const page = await (await newContext(browser)).newPage();
        page.setDefaultTimeout(60_000);
        bench = await openWorkbench(page, editor.url(project.directory));
      });

      afterEach(async function () {
        if (this.currentTest?.state !== 'failed') return;
        failed = true;
        mkdirSync('.cache', { recursive: true });
        await bench.screenshot(resolve(`.cache/failed-${day.age}.png`));
      });
      beforeEach(function () {
        // The day goes on from where the hour before left it.
        if (failed) this.skip();
      });

      after(async () => {
        await browser?.close();
        await editor?.stop();
        for (const server of servers) await server.stop();
        await waitFor('what the editor started to end', async () => (await home.leftovers()).length === 0);
        await home.remove();
        rmSync(scratch, { recursive: true, force: true });
      });

      const file = (): string => join(project.directory, 'durant.conf');
      const live = (server: TestServer, path: string): string =>
        readFileSync(join(server.home, 'shop', 'current', path), 'utf8');
      const picture = async (name: string): Promise<void> => {
        if (!takesPictures) return;
        mkdirSync(pictures, { recursive: true });
        // The pointer's hover would be in the picture.
        await bench.page.mouse.move(900, 300);
        await bench.page.waitForTimeout(600);
        await bench.screenshot(join(pictures, `${name}-${day.look}.png`));
      };

      it('a folder without durant.conf says how to make one', async () => {
        await bench.showDurantView();
        await bench.page.getByText('There is no durant.conf in this workspace yet').waitFor();
        await picture('welcome');
        await bench.page.locator('.pane-body .monaco-button', { hasText: 'Create durant.conf' }).click();
        const box = bench.page.locator('.quick-input-widget input');
        await box.waitFor();
        await bench.page.keyboard.type('deploy@web1.example.com');
        await bench.page.keyboard.press('Enter');
        await bench.page.locator('.quick-input-widget', { hasText: '2 of 2' }).waitFor();
        await bench.page.keyboard.press('Enter');
        await bench.page.locator('.tab.active', { hasText: 'durant.conf' }).waitFor();
        assert.match(
          readFileSync(file(), 'utf8'),
          /^server: deploy@web1\.example\.com\nproject_dir: ~\/shop\n# .*\nprotected: yes\n$/m,
        );
        await bench.row('production').waitFor();
      });

      it('a mistyped key is marked, and corrected by the bulb', async () => {
        const entries = servers.map(({ entry }) => `    ${entry}`).join('\n');
        writeFileSync(
          file(),
          `[DEFAULT]\nrepository: .\nproject_dir: ~/shop\n\n[production]\nserver:\n${entries}\nprotectd: yes\n`,
        );
        const { page } = bench;
        await page.locator('.view-line', { hasText: 'protectd: yes' }).waitFor();
        await page.locator('.squiggly-warning, .squiggly-error').first().waitFor();
        await bench.goTo(9, 3);
        await picture('mistake');
        await bench.fix('protected');
        await page.locator('.view-line', { hasText: 'protected: yes' }).waitFor();
      });

      it('completes the name of a branch', async () => {
        const { page } = bench;
        await bench.goTo(9, 99);
        await page.keyboard.press('Enter');
        await page.keyboard.type('branch: ');
        await page.keyboard.press('Control+Space');
        const offer = page.locator('.suggest-widget .monaco-list-row', { hasText: 'main' }).first();
        await offer.waitFor();
        await picture('completion');
        await offer.click();
        await page.locator('.view-line', { hasText: 'branch: main' }).waitFor();
        await page.keyboard.press('Control+S');
        await waitFor('the file to be saved', () => readFileSync(file(), 'utf8').includes('branch: main'));
        // The extension has read it, too: while it is written it has no stage.
        await bench.row('production').waitFor();
      });

      it('a dry run ends in a review and changes nothing', async () => {
        await bench.command('Durant: Dry Run Stage');
        await bench.page.getByText('would go live').first().waitFor();
        await bench.row('3 files added').waitFor();
        for (const { home: path } of servers) assert.equal(existsSync(join(path, 'shop')), false);
      });

      it('the reviewed commit is deployed to both servers, after a question', async () => {
        await bench.viewAction('Dry Run', 'Deploy');
        await bench.dialog.waitFor();
        await picture('confirm');
        await bench.pressInDialog('Deploy');
        await bench.notification('production is live').waitFor();
        for (const server of servers) assert.match(live(server, 'index.html'), /The shop is open/);
      });

      it('the tree and the output show what happened', async () => {
        await bench.row('production').click();
        await bench.row(servers[0].entry).waitFor();
        await bench.row('The shop opens').waitFor();
        await bench.command('Durant: Show Output');
        await bench.page.locator('.output-view, .panel .view-lines', { hasText: 'done:' }).first().waitFor();
        await picture('deployed');
        await bench.closePanel();
      });

      it('a change is reviewed as a diff and deployed from the palette', async () => {
        project.commit({
          message: 'A warmer welcome',
          files: {
            'index.html': '<h1>Welcome!</h1>\n<p>Come in.</p>\n',
            'img/old-logo.svg': null,
            'img/logo.svg': '<svg />\n',
          },
        });
        writeFileSync(file(), durantConf());
        await bench.command('Durant: Dry Run Stage');
        await bench.row('1 file deleted').waitFor();
        await bench.viewAction('Dry Run', 'Open All Changes');
        await bench.page
          .locator('.multiDiffEditor, .multi-diff-editor, .monaco-component.multiDiffEditor')
          .first()
          .waitFor();
        await bench.page.locator('.view-line', { hasText: 'Come in.' }).first().waitFor();
        await picture('review');
        await bench.viewAction('Dry Run', 'Close Review');
        // The message of the first deploy would be taken for that of this one.
        await bench.clearNotifications();
        await bench.command('Durant: Deploy Stage');
        await bench.pressInDialog('Deploy');
        await bench.notification('production is live').waitFor();
        for (const server of servers) assert.match(live(server, 'index.html'), /Come in\./);
      });

      it('a right click rolls back', async () => {
        await bench.clearNotifications();
        await bench.row('A warmer welcome').waitFor();
        const older = bench.row('The shop opens');
        await bench.openMenu(older);
        await picture('rollback');
        await bench.pickFromMenu('Roll Back to This Release');
        await bench.pressInDialog('Roll Back');
        await bench.notification('production is rolled back').waitFor();
        for (const server of servers) assert.match(live(server, 'index.html'), /The shop is open/);
      });

      it('a foreign lock is named, and unlocked', async () => {
        await bench.clearNotifications();
        const lock = join(servers[0].home, 'shop', '.durant', 'lock');
        writeFileSync(
          lock,
          [
            'run = "20261121000000-deadbeef"',
            'stage = "production"',
            'user = "grace"',
            'host = "laptop"',
            `started = "${new Date(Date.now() - 300_000).toISOString()}"`,
            'action = "deploy"',
            'message = ""',
            '',
          ].join('\n'),
        );
        await bench.command('Durant: Deploy Stage');
        await bench.notification('grace').waitFor();
        await picture('locked');
        await bench.pressInNotification('Unlock…');
        await bench.dialog.waitFor();
        await bench.pressInDialog('Unlock');
        await waitFor('the lock to go', () => !existsSync(lock));
        await bench.notification('is removed').waitFor();
      });

      it('an unknown host key is refused, and then accepted', async () => {
        await bench.clearNotifications();
        const knownHosts = join(home.directory, 'ssh', 'known_hosts');
        writeFileSync(knownHosts, '');
        // Another window, which knows no connection yet.
        await bench.reload();
        await bench.showDurantView();
        await bench.row('production').waitFor();
        await bench.command('Durant: Deploy Stage');
        await bench.dialog.getByText('SHA256:').first().waitFor();
        await picture('host-key');
        await bench.pressInDialog('Cancel');
        await bench.notification('production:').waitFor();
        assert.equal(readFileSync(knownHosts, 'utf8'), '');
        await bench.clearNotifications();
        await bench.command('Durant: Deploy Stage');
        await bench.acceptHostKeys('Deploy');
        await bench.notification('production is live').waitFor();
        assert.match(readFileSync(knownHosts, 'utf8'), /ed25519/);
      });

      it('a running deploy is cancelled', async () => {
        await bench.clearNotifications();
        project.commit({ message: 'Never live', files: { 'index.html': 'never\n' } });
        writeFileSync(file(), `${durantConf()}before_deploy: echo building; sleep 100\n`);
        await bench.command('Durant: Deploy Stage');
        await bench.notification(/Build · .* · building/).waitFor();
        await picture('running');
        await bench.pressInNotification('Cancel');
        await bench.notification('cancelled').waitFor();
        for (const server of servers) assert.doesNotMatch(live(server, 'index.html'), /never/);
      });

      function durantConf(): string {
        const entries = servers.map(({ entry }) => `    ${entry}`).join('\n');
        return `[DEFAULT]\nrepository: .\nproject_dir: ~/shop\n\n[production]\nserver:\n${entries}\nprotected: yes\nbranch: main\n`;
      }
    });
  });
}
