/** The short durant.conf that a project begins with: what nobody can guess, and nothing else. */

export interface StarterFacts {
  /** Entry as `server` takes it. */
  readonly server: string;
  readonly projectDir: string;
  readonly protected: boolean;
}

/** What stands there until it is known. */
export const placeholder: StarterFacts = {
  server: 'server.example.com',
  projectDir: '/var/www/project',
  protected: true,
};

/** The text of a new durant.conf; valid as it is, but for values that are not. */
export function starterConf({ server, projectDir, protected: isProtected }: StarterFacts): string {
  return [
    '# What goes where: durant deploys this git project over SSH. All options: durant init --all',
    '[DEFAULT]',
    'repository: .',
    '',
    '[production]',
    `server: ${server.replaceAll('%', '%%')}`,
    `project_dir: ${projectDir.replaceAll('%', '%%')}`,
    ...(isProtected ? ['# A deploy has to be confirmed.', 'protected: yes'] : []),
    '',
  ].join('\n');
}
