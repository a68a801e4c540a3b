/** Items as the editor's tree items. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { schemes } from '../editor/ids.ts';
import type { Icon, Item } from './item.ts';

/** An item as the editor draws it. */
export function toTreeItem(item: Item, extensionPath: string): vscode.TreeItem {
  const result = new vscode.TreeItem(item.label, collapsible(item.expands));
  result.id = item.id;
  result.description = item.description;
  result.contextValue = item.context;
  const icon = toIcon(item.icon, extensionPath);
  if (icon !== undefined) result.iconPath = icon;
  // The icon of its name in the user's theme; nothing decorates an address of this scheme.
  if (item.icon !== undefined && 'fileNamed' in item.icon)
    result.resourceUri = vscode.Uri.from({ scheme: schemes.icon, path: `/${item.icon.fileNamed}` });
  const tooltip = new vscode.MarkdownString();
  for (const [label, value] of item.tooltip)
    tooltip.appendMarkdown(`**${plainText(label)}**: ${plainText(value)}  \n`);
  if (item.tooltip.length > 0) result.tooltip = tooltip;
  result.accessibilityInformation = {
    label: [item.label, item.spoken ?? '', item.description].filter((part) => part !== '').join(', '),
  };
  return result;
}

/** Names and subjects are other people's texts: they are shown, never interpreted, and never become links. */
function plainText(text: string): string {
  return new vscode.MarkdownString()
    .appendText(text)
    .value.replaceAll('@', '&#64;')
    .replaceAll('://', '&#58;//')
    .replaceAll(/www\./gi, (found) => `${found.slice(0, 3)}&#46;`);
}

function toIcon(icon: Icon | undefined, extensionPath: string): vscode.TreeItem['iconPath'] | undefined {
  if (icon === undefined) return undefined;
  if ('fileNamed' in icon) return icon.kind === 'folder' ? vscode.ThemeIcon.Folder : vscode.ThemeIcon.File;
  if ('codicon' in icon)
    return new vscode.ThemeIcon(
      icon.codicon,
      icon.color === undefined ? undefined : new vscode.ThemeColor(icon.color),
    );
  const path = (theme: string): vscode.Uri =>
    vscode.Uri.file(join(extensionPath, 'media', 'icons', `${icon.file}-${theme}.svg`));
  return { light: path('light'), dark: path('dark') };
}

function collapsible(expands: 'no' | 'closed' | 'open'): vscode.TreeItemCollapsibleState {
  if (expands === 'no') return vscode.TreeItemCollapsibleState.None;
  return expands === 'open'
    ? vscode.TreeItemCollapsibleState.Expanded
    : vscode.TreeItemCollapsibleState.Collapsed;
}
