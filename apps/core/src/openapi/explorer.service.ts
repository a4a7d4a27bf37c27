import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { EXPLORER_START } from './explorer-page.js';

export interface Asset {
  readonly type: string;
  readonly content: string | Buffer;
}

/** The files of Swagger UI that the page needs; nothing else of that folder is served. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

/** What the API explorer's page loads, from our own installation. */
@Injectable()
export class ExplorerService {
  readonly #folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  readonly #read = new Map<string, Promise<Buffer>>();

  async asset(name: string): Promise<Asset> {
    if (name === 'start.js') return { type: 'text/javascript; charset=utf-8', content: EXPLORER_START };
    const type = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
    if (type === undefined) throw new Problem('NOT_FOUND', 'the API explorer has no such file');
    return { type, content: await this.#file(name) };
  }

  #file(name: string): Promise<Buffer> {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const reading = readFile(join(this.#folder, name));
    reading.catch(() => this.#read.delete(name));
    this.#read.set(name, reading);
    return reading;
  }
}
