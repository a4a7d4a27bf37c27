import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { committedDocument } from './committed-document.js';

// `npm run openapi`: writes the API document of the compiled code, without starting it, to the file that is named.

const target = process.argv[2];
if (target === undefined) throw new Error('name the file to write');
writeFileSync(resolve(target), committedDocument());
