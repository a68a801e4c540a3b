import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('the manifest', () => {
  it('is that of an extension that VS Code has loaded', () => {
    assert.ok(vscode.extensions.getExtension('durant.durant'));
  });
});
