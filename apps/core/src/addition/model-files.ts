import type { Descriptor, Manifest } from '@haven/oci';
import type { ModelFile } from '@haven/api';

/** Where a layer's file lies in the model (CNCF ModelPack specification, "annotations"), by its present and its first name. */
const FILE_PATHS = ['org.cncf.model.filepath', 'org.cnai.model.filepath'];
const FILE_METADATA = ['org.cncf.model.file.metadata+json', 'org.cnai.model.file.metadata+json'];
const DEEPEST = 32;

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: Map<string, number>;
}

/** The layer that holds the file of this name in the model's topmost folder, whatever its case. */
export function layerOfFile({ layers }: Manifest, names: readonly string[]): Descriptor | undefined {
  return layers.find((layer) => names.includes(pathOf(layer)?.toLowerCase() ?? ''));
}

/** The path that a layer says its file has; undefined when it says none. */
export function pathOf({ annotations }: Descriptor): string | undefined {
  const path = firstOf(annotations, FILE_PATHS);
  return path?.replace(/^(?:\.?\/)+/, '');
}

/** The files of a model as a tree, as the annotations of its layers tell; paths that lead out of it are left out. */
export function modelFilesOf({ layers }: Manifest): ModelFile[] {
  const root: Folder = { folders: new Map(), files: new Map() };
  for (const layer of layers) {
    const parts = (pathOf(layer) ?? '').split('/').filter((part) => part !== '' && part !== '.');
    const name = parts.pop();
    if (name === undefined || name === '..' || parts.includes('..') || parts.length > DEEPEST) continue;
    folderAt(root, parts).files.set(name, sizeOf(layer));
  }
  return entriesOf(root);
}

function folderAt(root: Folder, parts: readonly string[]): Folder {
  let folder = root;
  for (const part of parts) {
    const next = folder.folders.get(part) ?? { folders: new Map<string, Folder>(), files: new Map<string, number>() };
    folder.folders.set(part, next);
    folder = next;
  }
  return folder;
}

function entriesOf({ folders, files }: Folder): ModelFile[] {
  const below = [...folders].map(([name, folder]): ModelFile => {
    const children = entriesOf(folder);
    return { name, type: 'directory', size: children.reduce((sum, child) => sum + child.size, 0), children };
  });
  const own = [...files].map(([name, size]): ModelFile => ({ name, type: 'file', size }));
  return [...below, ...own].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The file's own size, where its metadata tell it; else that of the layer it is packed in. */
function sizeOf(layer: Descriptor): number {
  const text = firstOf(layer.annotations, FILE_METADATA);
  if (text === undefined) return layer.size;
  try {
    const value: unknown = JSON.parse(text);
    const size = typeof value === 'object' && value !== null && 'size' in value ? value.size : undefined;
    return typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : layer.size;
  } catch {
    return layer.size; // metadata are optional: those that are no JSON tell nothing
  }
}

function firstOf(annotations: Descriptor['annotations'], keys: readonly string[]): string | undefined {
  return keys.map((key) => annotations?.[key]).find((value) => value !== undefined);
}
