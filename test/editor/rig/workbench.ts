/** A hand on VS Code in the browser: what a person would click and type, and read on the screen. */
import type { Locator, Page } from 'playwright-core';
import { waitFor } from '../../support/wait.ts';

export interface Workbench {
  readonly page: Page;
  /** Runs a command by its title in the palette. */
  readonly command: (title: string) => Promise<void>;
  /** A row of a tree whose text holds `text`. */
  readonly row: (text: string | RegExp) => Locator;
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
  /** Loads the window again, as another one. */
  readonly reload: () => Promise<void>;
  readonly screenshot: (path: string) => Promise<void>;
}

/**
 * Presses the first of these buttons in one event, and waits until it is gone with what it stands on. VS Code may draw a button anew between
 * a mouse's press and its release, as that of a progress that moves on; then the mouse has clicked nothing.
 */
async function pressAndLeave(buttons: Locator): Promise<void> {
  const button = buttons.first();
  await button.waitFor();
  const shown = await button.elementHandle();
  await button.dispatchEvent('click');
  await shown?.waitForElementState('hidden');
}

/** How long the palette may take to look for a text before it is opened anew. */
const paletteMs = 5000;

const filled = (input: Locator, text: string): Promise<boolean> =>
  input.fill(text, { timeout: paletteMs }).then(
    () => true,
    () => false,
  );

export function workbench(page: Page): Workbench {
  const quickInput = page.locator('.quick-input-widget:visible');
  const dialog = page.locator('.monaco-dialog-box');
  const command = async (title: string): Promise<void> => {
    const input = quickInput.locator('input[type="text"]');
    // Enter takes the row that has the focus, which is that of an earlier list until this text has been looked for.
    const wanted = quickInput.locator('.monaco-list-row.focused', { hasText: title });
    await waitFor(
      `the command ${title}`,
      async () => {
        await page.keyboard.press('F1');
        // The palette writes its own prefix when it opens; a text that comes before that would be lost.
        await waitFor(
          'the palette to open',
          async () => (await input.inputValue({ timeout: 500 }).catch(() => '')) === '>',
        );
        // What the window does meanwhile may take the focus, and with it the palette.
        if (!(await filled(input, `>${title}`))) return false;
        const offered = await wanted.waitFor({ timeout: paletteMs }).then(
          () => true,
          () => false,
        );
        // What a new window gets to know while the palette is open comes into the list of the next.
        if (!offered) await page.keyboard.press('Escape');
        return offered;
      },
      60_000,
    );
    await page.keyboard.press('Enter');
    // Another question may take the palette's place at once.
    await waitFor('the palette to close', async () => {
      if (!(await input.isVisible())) return true;
      return (await input.inputValue({ timeout: 500 }).catch(() => '')) !== `>${title}`;
    });
  };
  const openMenu = async (row: Locator): Promise<void> => {
    await row.click({ button: 'right' });
    await page.locator('.context-view .action-item').first().waitFor();
  };
  const pickFromMenu = async (item: string): Promise<void> => {
    const menu = page.locator('.context-view .action-menu-item');
    // By the keyboard: for its first 100 ms a menu takes no release of a mouse, which might be the end of the click that opened it.
    await menu.filter({ hasText: item }).first().hover();
    await page.locator('.context-view .action-menu-item:focus', { hasText: item }).waitFor();
    await page.keyboard.press('Enter');
    await menu.first().waitFor({ state: 'hidden' });
  };
  return {
    page,
    command,
    row: (text) => page.locator('.pane-body .monaco-list-row', { hasText: text }).first(),
    openMenu,
    pickFromMenu,
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
      await pressAndLeave(page.locator('.notification-list-item .monaco-button', { hasText: button }));
    },
    clearNotifications: async () => {
      await command('Notifications: Clear All Notifications');
    },
    acceptHostKeys: async (button) => {
      const either = dialog.locator('.monaco-button', { hasText: new RegExp(`Trust This Server|${button}`) });
      for (;;) {
        await either.first().waitFor();
        const text = await either.first().textContent();
        await pressAndLeave(either);
        if (text === button) return;
      }
    },
    notification: (text) => page.locator('.notification-list-item', { hasText: text }).first(),
    dialog,
    pressInDialog: async (button) => {
      await pressAndLeave(dialog.locator('.monaco-button', { hasText: button }));
    },
    showDurantView: async () => {
      const title = page
        .locator('.part.sidebar .title-label, .part.sidebar .composite.title', { hasText: /Durant/i })
        .first();
      // A window that is loaded again may be showing it already, and a press would hide it.
      if (!(await title.isVisible()))
        await page.locator('.activitybar .action-item [aria-label^="Durant"]').first().click();
      await title.waitFor();
    },
    fix: async (text) => {
      await page.locator('.lightBulbWidget:visible, [class*="codicon-gutter-lightbulb"]').first().waitFor();
      const wanted = page.locator('.action-widget .monaco-list-row.focused', { hasText: text });
      await waitFor(
        `the fix ${text}`,
        async () => {
          await page.keyboard.press('Control+.');
          // What the window does meanwhile, as a lens that comes into the text, closes the list.
          return wanted.waitFor({ timeout: paletteMs }).then(
            () => true,
            () => false,
          );
        },
        60_000,
      );
      await page.keyboard.press('Enter');
    },
    reload: async () => {
      await page.reload({ waitUntil: 'commit' });
      await restored(page);
    },
    screenshot: async (path) => {
      await page.screenshot({ path });
    },
  };
}

/** Opens the address and waits for the workbench. */
export async function openWorkbench(page: Page, url: string): Promise<Workbench> {
  await page.goto(url, { waitUntil: 'commit' });
  await restored(page);
  return workbench(page);
}

/** Until then the workbench shows views and editors of its own accord, and the extension's commands are unknown. */
async function restored(page: Page): Promise<void> {
  await page.waitForFunction("performance.getEntriesByName('code/didStartWorkbench').length > 0");
  await page.locator('.activitybar .action-item [aria-label^="Durant"]').first().waitFor();
}
