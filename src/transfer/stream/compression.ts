/** How the stream is compressed: zstd where both ends have it, else gzip, nothing on a fast line. */
import zlib from 'node:zlib';
import type { Transform } from 'node:stream';
import type { ServerAddress } from '../../remote/target.ts';

export type Compression = 'zstd' | 'gzip' | 'none';

/** The tools that `transferProbe` found on the server. */
export interface Decompressors {
  readonly zstd: boolean;
  readonly gzip: boolean;
}

/** Chooses by what both ends have. A loopback address may be a tunnel to anywhere, so only this machine itself counts as fast. */
export function chooseCompression(address: Pick<ServerAddress, 'local'>, server: Decompressors): Compression {
  if (address.local) return 'none';
  if (server.zstd && 'createZstdCompress' in zlib) return 'zstd';
  return server.gzip ? 'gzip' : 'none';
}

/** The compressing stream; undefined for `none`. */
export function createCompressor(compression: Compression): Transform | undefined {
  switch (compression) {
    case 'none':
      return undefined;
    case 'gzip':
      return zlib.createGzip({ level: 1 });
    case 'zstd':
      return createZstd();
  }
}

/** The server's command that undoes it, reading standard input; `cat` is spared for `none`. */
export function decompressCommand(compression: Compression): string | undefined {
  return { zstd: 'zstd -dcq', gzip: 'gzip -dc', none: undefined }[compression];
}

/** Level 1. Node has zstd since 22.15; the types of Node 20 do not know it. */
function createZstd(): Transform {
  const create: unknown = Reflect.get(zlib, 'createZstdCompress');
  const level: unknown = Reflect.get(zlib.constants, 'ZSTD_c_compressionLevel');
  if (!isTransformFactory(create) || typeof level !== 'number')
    throw new Error('zstd was chosen where Node does not have it');
  return create({ params: { [level]: 1 } });
}

function isTransformFactory(value: unknown): value is (options: object) => Transform {
  return typeof value === 'function';
}
