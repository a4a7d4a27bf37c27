import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import type { Descriptor, Manifest } from '@haven/oci';
import { ArtifactFinder } from '../artifact/artifact-finder.service.js';
import type { RepositoryPath } from '../artifact/repository-path.js';
import { JSON_TEXT, MARKDOWN, PLAIN_TEXT, type TextAnswer } from '../http/response.interceptor.js';
import { AdditionContent, LARGEST_CONTENT } from './addition-content.service.js';
import { additionsOf, type AdditionName } from './addition-names.js';
import { buildHistoryOf } from './build-history.js';
import { dependenciesOf, isFirstFormat } from './chart-dependencies.js';
import { layerOfFile, modelFilesOf } from './model-files.js';

const CHART_LAYER = /^application\/(?:vnd\.cncf\.helm\.chart\.content\.v1\.)?tar\+gzip$/;
const LARGEST_SBOM = 16 * 1024 * 1024;
const LICENSES = ['license', 'license.md', 'license.txt'];

/** An artifact whose addition is wanted. */
interface Wanted {
  readonly manifest: Manifest;
  /** Whose turn it is where work has to wait. */
  readonly origin: string;
}

/** Further content of artifacts: how an image was built, the files of a chart, what a model says of itself. */
@Injectable()
export class AdditionService {
  constructor(
    private readonly finder: ArtifactFinder,
    private readonly content: AdditionContent,
  ) {}

  async read(path: RepositoryPath, reference: string, text: string): Promise<TextAnswer> {
    const { artifact } = await this.finder.artifact(path, reference);
    const name = additionsOf(artifact).find((known) => known === text);
    if (name === undefined) throw new Problem('BAD_REQUEST', 'the artifact has no such addition; addition_links of the artifact names those it has');
    const wanted = { manifest: await this.content.manifest(artifact), origin: path.project.name };
    return artifact.type === 'CNAI' ? this.#ofModel(wanted, name) : this.#ofOther(wanted, name);
  }

  /** Reports are made by scanners; there is none for the artifact. */
  async vulnerabilities(path: RepositoryPath, reference: string): Promise<never> {
    await this.finder.artifact(path, reference);
    throw new Problem('NOT_FOUND', 'the artifact has not been scanned');
  }

  async #ofOther({ manifest, origin }: Wanted, name: AdditionName): Promise<TextAnswer> {
    switch (name) {
      case 'values.yaml': return { type: PLAIN_TEXT, text: (await this.#chartFile({ manifest, origin }, 'values.yaml')).toString('utf8') };
      case 'readme.md': return { type: MARKDOWN, text: (await this.#chartFile({ manifest, origin }, 'readme.md')).toString('utf8') };
      case 'dependencies': return json(await this.#dependencies({ manifest, origin }));
      case 'sbom': return { type: JSON_TEXT, text: (await this.content.blob(first(manifest), LARGEST_SBOM)).toString('utf8') };
      default: return json(manifest.config === undefined ? [] : buildHistoryOf(await this.content.blob(manifest.config)));
    }
  }

  async #ofModel(wanted: Wanted, name: AdditionName): Promise<TextAnswer> {
    if (name === 'files') return json(modelFilesOf(wanted.manifest));
    const text = (await this.#modelFile(wanted, name === 'license' ? LICENSES : ['readme.md'])).toString('utf8');
    return { type: name === 'license' ? PLAIN_TEXT : MARKDOWN, text };
  }

  async #dependencies(wanted: Wanted): Promise<unknown> {
    const chart = await this.#chartFile(wanted, 'chart.yaml');
    if (!isFirstFormat(chart)) return dependenciesOf(chart);
    const requirements = await this.#inChart(wanted, 'requirements.yaml');
    return requirements === undefined ? [] : dependenciesOf(requirements);
  }

  async #chartFile(wanted: Wanted, name: string): Promise<Buffer> {
    const file = await this.#inChart(wanted, name);
    if (file === undefined) throw new Problem('NOT_FOUND', `the chart has no ${name}`);
    return file;
  }

  /** A file in the chart's own folder, not in those of the charts it brings along. */
  async #inChart({ manifest, origin }: Wanted, name: string): Promise<Buffer | undefined> {
    const layer = manifest.layers.find(({ mediaType }) => CHART_LAYER.test(mediaType));
    if (layer === undefined) throw new Problem('NOT_FOUND', 'the chart has no content');
    return this.content.fileIn(layer, (path) => {
      const [folder = '', file = '', ...deeper] = path.split('/');
      return folder !== '' && deeper.length === 0 && file.toLowerCase() === name;
    }, origin);
  }

  /** Models keep each file in a layer of its own, as it is or packed. */
  async #modelFile({ manifest, origin }: Wanted, names: readonly string[]): Promise<Buffer> {
    const layer = layerOfFile(manifest, names);
    if (layer === undefined) throw new Problem('NOT_FOUND', `the model has no ${names[0] ?? ''}`);
    if (layer.size > LARGEST_CONTENT) throw new Problem('REQUEST_ENTITY_TOO_LARGE', `the content is larger than ${LARGEST_CONTENT} bytes`);
    if (layer.mediaType.endsWith('.raw')) return this.content.blob(layer);
    const file = await this.content.fileIn(layer, (path) => names.includes(path.toLowerCase()), origin);
    if (file === undefined) throw new Problem('NOT_FOUND', `the model has no ${names[0] ?? ''}`);
    return file;
  }
}

function first({ layers: [layer] }: Manifest): Descriptor {
  if (layer === undefined) throw new Problem('NOT_FOUND', 'the artifact has no content');
  return layer;
}

function json(value: unknown): TextAnswer {
  return { type: JSON_TEXT, text: JSON.stringify(value) };
}
