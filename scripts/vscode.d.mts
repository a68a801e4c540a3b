/** Makes the release if it is missing, and says where it is: VS Code's version, its server's main file, the Node to run it with. */
export function provideVsCode(
  age: 'oldest' | 'newest',
): Promise<{ readonly version: string; readonly main: string; readonly node: string }>;
