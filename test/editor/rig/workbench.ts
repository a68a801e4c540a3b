/** A hand on VS Code in the browser: what a person would click and type, and read on the screen. */
import type { Locator, Page } from 'playwright-core';
import { waitFor } from '../../support/wait.ts';

export interface Workbench {
  readonly page: Page;
  /** Runs a command by its title in the palette. */
  readonly command: (title: string) => Promise<void>;
  /** Types into the quick pick or input box that is open, and takes the first answer. */
  readonly answer: (text: string) => Promise<void>;
  /** Opens a file of the workspace by its name. */
  readonly open: (name: string) => Promise<void>;
  /** A row of a tree whose text holds `text`. */
  readonly row: (text: string | RegExp) => Locator;
  /** Opens the context menu of a row and takes one of its items. */
  readonly menu: (row: Locator, item: string) => Promise<void>;
  readonly openMenu: (row: Locator) => Promise<void>;
  readonly pickFromMenu: (item: string) => Promise<void>;
  /** Presses an icon in the title of a view. */
  readonly viewAction: (view: string, action: string) => Promise<void>;
  /** Puts the cursor of the editor there; both count from 1. */
  readonly goTo: (line: number, column: number) => Promise<void>;
  /** Asks for quick fixes where the cursor is, and takes the first, which has this text. */
  readonly fix: (text: string) => Promise<void>;
  readonly closePanel: () => Promise<void>;
  readonly notification: (text: string | RegExp) => Locator;
  readonly pressInNotification: (button: string) => Promise<void>;
  readonly clearNotifications: () => Promise<void>;
  /** Trusts every server that is asked about until another dialog has this button, and presses that. */
  readonly acceptHostKeys: (button: string) => Promise<void>;
  /** The modal dialog that is open. */
  readonly dialog: Locator;
  readonly pressInDialog: (button: string) => Promise<void>;
  readonly showDurantView: () => Promise<void>;
  readonly screenshot: (path: string) => Promise<void>;
}

/** Does it again while what it does is not to be seen: VS Code lets some keys and clicks of a quick hand fall. */
async function untilSeen(act: () => Promise<void>, seen: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await act();
    try {
      await seen();
      return;
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

/** Presses the first of these buttons, which goes with what it stands on. */
async function pressUntilGone(buttons: Locator): Promise<void> {
  const button = buttons.first();
  await button.waitFor();
  await untilSeen(
    async () => {
      // It may go in this very moment.
      await button.click({ timeout: 5000 }).catch(() => undefined);
    },
    () => button.waitFor({ state: 'hidden', timeout: 2000 }),
  );
}

export function workbench(page: Page): Workbench {
  const quickInput = page.locator('.quick-input-widget:visible');
  const dialog = page.locator('.monaco-dialog-box');
  const command = async (title: string): Promise<void> => {
    const offer = quickInput.locator('.monaco-list-row', { hasText: title }).first();
    const input = quickInput.locator('input[type="text"]');
    // A window that is just opening offers the commands it knows so far, and no more until it is asked again.
    for (let attempt = 1; ; attempt += 1) {
      await page.keyboard.press('F1');
      await input.waitFor();
      await input.fill(`>${title}`);
      try {
        await offer.waitFor({ timeout: 5000 });
        break;
      } catch (error) {
        if (attempt === 4) throw error;
        await page.keyboard.press('Escape');
        await input.waitFor({ state: 'hidden' });
      }
    }
    const asks = async (): Promise<boolean> =>
      (await input.isVisible()) && (await input.inputValue({ timeout: 500 }).catch(() => '')) === `>${title}`;
    await untilSeen(
      () => page.keyboard.press('Enter'),
      // Another question may take the palette's place at once.
      () => waitFor('the palette to close', async () => !(await asks()), 3000),
    );
  };
  const openMenu = async (row: Locator): Promise<void> => {
    await row.click({ button: 'right' });
    await page.locator('.context-view .action-item').first().waitFor();
  };
  const pickFromMenu = async (item: string): Promise<void> => {
    const menu = page.locator('.context-view .action-item');
    // A menu that has just opened takes a click for the end of the one that opened it.
    await untilSeen(
      () => menu.filter({ hasText: item }).first().click({ timeout: 5000 }),
      () => menu.first().waitFor({ state: 'hidden', timeout: 2000 }),
    );
  };
  return {
    page,
    command,
    answer: async (text) => {
      const input = quickInput.locator('input').first();
      await input.waitFor();
      await input.fill(text);
      await page.keyboard.press('Enter');
    },
    open: async (name) => {
      await page.keyboard.press('Control+P');
      const input = quickInput.locator('input[type="text"]');
      await input.waitFor();
      await input.fill(name);
      await quickInput.locator('.monaco-list-row', { hasText: name }).first().waitFor();
      await page.keyboard.press('Enter');
      await page.locator('.tab.active', { hasText: name }).waitFor();
    },
    row: (text) => page.locator('.pane-body .monaco-list-row', { hasText: text }).first(),
    openMenu,
    pickFromMenu,
    menu: async (row, item) => {
      await openMenu(row);
      await pickFromMenu(item);
    },
    viewAction: async (view, action) => {
      const header = page.locator('.pane-header:visible', { hasText: view }).first();
      await header.hover();
      await header.locator(`.action-label[aria-label^="${action}"]`).first().click();
    },
    goTo: async (line, column) => {
      await page.keyboard.press('Control+G');
      const input = quickInput.locator('input[type="text"]');
      await input.waitFor();
      await input.fill(`:${String(line)}:${String(column)}`);
      await page.keyboard.press('Enter');
      await input.waitFor({ state: 'hidden' });
    },
    closePanel: async () => {
      await command('View: Hide Panel');
    },
    pressInNotification: async (button) => {
      await pressUntilGone(page.locator('.notification-list-item .monaco-button', { hasText: button }));
    },
    clearNotifications: async () => {
      await command('Notifications: Clear All Notifications');
    },
    acceptHostKeys: async (button) => {
      const either = dialog.locator('.monaco-button', { hasText: new RegExp(`Trust This Server|${button}`) });
      for (;;) {
        await either.first().waitFor();
        const text = await either.first().textContent();
        await either.first().click();
        if (text === button) return;
      }
    },
    notification: (text) => page.locator('.notification-list-item', { hasText: text }).first(),
    dialog,
    pressInDialog: async (button) => {
      await pressUntilGone(dialog.locator('.monaco-button', { hasText: button }));
    },
    showDurantView: async () => {
      const title = page
        .locator('.part.sidebar .title-label, .part.sidebar .composite.title', { hasText: /Durant/i })
        .first();
      // A window that is loaded again may be showing it already, and a press would hide it.
      await untilSeen(
        async () => {
          if (await title.isVisible()) return;
          await page.locator('.activitybar .action-item [aria-label^="Durant"]').first().click();
        },
        () => title.waitFor({ timeout: 3000 }),
      );
    },
    fix: async (text) => {
      const offer = page.locator('.action-widget .monaco-list-row', { hasText: text }).first();
      await untilSeen(
        () => page.keyboard.press('Control+.'),
        () => offer.waitFor({ timeout: 5000 }),
      );
      await page.keyboard.press('Enter');
    },
    screenshot: async (path) => {
      await page.screenshot({ path });
    },
  };
}

/** Opens the address and waits for the workbench. */
export async function openWorkbench(page: Page, url: string): Promise<Workbench> {
  await page.goto(url);
  await page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
  await page.locator('.explorer-folders-view, .explorer-viewlet').first().waitFor({ timeout: 60_000 });
  return workbench(page);
}
