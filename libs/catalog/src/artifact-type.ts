import type { Descriptor, Digest, Manifest } from '@haven/oci';
import { parseDigest } from '@haven/oci';

/** What the platform knows about an artifact beyond its manifest, worked out once when it is pushed. */
export interface ArtifactDescription {
  /** 'IMAGE', 'CHART', … or 'UNKNOWN', as the Harbor API names it. */
  readonly type: string;
  /** The artifact type of the OCI image specification: the manifest's own, else its config's media type. */
  readonly artifactType: string;
  readonly extraAttributes: object;
  /** The layer that holds the artifact's own icon. */
  readonly icon?: Digest;
}

export interface AccessoryOf {
  readonly subject: Digest;
  /** 'signature.cosign', 'sbom.harbor', 'subject.accessory', … */
  readonly type: string;
}

const IMAGE_CONFIGS = new Set(['application/vnd.docker.container.image.v1+json', 'application/vnd.oci.image.config.v1+json']);
const TYPES_BY_CONFIG: ReadonlyMap<string, string> = new Map([
  ['application/vnd.cncf.helm.config.v1+json', 'CHART'],
  ['application/vnd.cnab.manifest.v1', 'CNAB'],
  ['application/vnd.wasm.config.v1+json', 'WASM'],
  ['application/vnd.cncf.model.manifest.v1+json', 'CNAI'],
  ['application/vnd.goharbor.harbor.sbom.v1', 'SBOM'],
]);
const VENDOR_CONFIG = /^application\/vnd\.[^.]{1,100}\.(.{1,100})\.config\.[^.]{1,100}\+json$/;

/** How a manifest tells platforms that do not know its type what to show of it; image manifests of such types only. */
const ICON_LAYER = 'io.goharbor.artifact.v1alpha1.icon';
const SKIP_LIST = 'io.goharbor.artifact.v1alpha1.skip-list';
/** Bytes of an icon at most; a larger one is a layer like any other. */
const LARGEST_ICON = 1024 * 1024;

const COSIGN_SIGNATURE_TAG = /^sha256-([0-9a-f]{64})\.sig$/;
const COSIGN_LAYER = 'application/vnd.dev.cosign.simplesigning.v1+json';
const ACCESSORY_TYPES: ReadonlyMap<string, string> = new Map([
  ['application/vnd.dev.cosign.artifact.sig.v1+json', 'signature.cosign'],
  ['application/vnd.dev.sigstore.bundle.v0.3+json', 'signature.cosign'],
  ['application/vnd.cncf.notary.signature', 'signature.notation'],
  ['application/vnd.goharbor.harbor.sbom.v1', 'sbom.harbor'],
]);
const NYDUS_BOOTSTRAP = 'containerd.io/snapshot/nydus-bootstrap';

/** `config` is the config blob's bytes where they are small enough to be read; content that does not parse is left alone. */
export function describeArtifact(manifest: Manifest, config: Uint8Array | undefined): ArtifactDescription {
  const configType = manifest.config?.mediaType ?? '';
  const artifactType = manifest.artifactType ?? configType;
  if (manifest.kind === 'index') return { type: manifest.artifactType === undefined ? 'IMAGE' : typeOf(artifactType), artifactType, extraAttributes: {} };
  const type = typeOf(artifactType === '' ? manifest.mediaType : artifactType);
  const document = config && jsonObject(config);
  const extraAttributes = document ? attributesOf(type, artifactType, document, manifest.config?.annotations?.[SKIP_LIST]) : {};
  const icon = isKnown(artifactType) ? undefined : manifest.layers.find((layer) => layer.annotations?.[ICON_LAYER] !== undefined && layer.size <= LARGEST_ICON);
  return { type, artifactType, extraAttributes, ...(icon === undefined ? {} : { icon: icon.digest }) };
}

/** What a manifest is an accessory of: by its subject, or by cosign's tag scheme. */
export function accessoryOf(manifest: Manifest, tags: readonly string[]): AccessoryOf | undefined {
  if (manifest.subject) return { subject: manifest.subject.digest, type: accessoryType(manifest) };
  if (!manifest.layers.some((layer) => layer.mediaType === COSIGN_LAYER)) return undefined;
  for (const tag of tags) {
    const hex = COSIGN_SIGNATURE_TAG.exec(tag)?.[1];
    const subject = hex === undefined ? undefined : parseDigest(`sha256:${hex}`);
    if (subject) return { subject, type: 'signature.cosign' };
  }
  return undefined;
}

function accessoryType(manifest: Manifest): string {
  const known = ACCESSORY_TYPES.get(manifest.artifactType ?? manifest.config?.mediaType ?? '');
  if (known) return known;
  return isNydus(manifest.config, manifest.layers) ? 'accelerator.nydus' : 'subject.accessory';
}

function isNydus(config: Descriptor | undefined, layers: readonly Descriptor[]): boolean {
  return IMAGE_CONFIGS.has(config?.mediaType ?? '') && layers.at(-1)?.annotations?.[NYDUS_BOOTSTRAP] !== undefined;
}

function typeOf(mediaType: string): string {
  if (IMAGE_CONFIGS.has(mediaType)) return 'IMAGE';
  return TYPES_BY_CONFIG.get(mediaType) ?? VENDOR_CONFIG.exec(mediaType)?.[1]?.toUpperCase() ?? 'UNKNOWN';
}

function isKnown(mediaType: string): boolean {
  return IMAGE_CONFIGS.has(mediaType) || TYPES_BY_CONFIG.has(mediaType);
}

/** @param skipped keys of the config that its author does not want shown, joined by commas */
function attributesOf(type: string, artifactType: string, document: Record<string, unknown>, skipped: string | undefined): object {
  if (type === 'SBOM') return {};
  if (!isKnown(artifactType)) return VENDOR_CONFIG.test(artifactType) ? without(document, skipped) : {};
  if (type !== 'IMAGE') return document;
  const { created, architecture, os, config } = document;
  return { created, architecture, os, config, author: authorOf(document) };
}

function without(document: Record<string, unknown>, skipped = ''): Record<string, unknown> {
  const keys = new Set(skipped.split(',').map((key) => key.trim()));
  return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.has(key)));
}

function authorOf(document: Record<string, unknown>): string {
  if (typeof document['author'] === 'string' && document['author'] !== '') return document['author'];
  const config = document['config'];
  const labels = isObject(config) && isObject(config['Labels']) ? config['Labels'] : {};
  const label = labels['org.opencontainers.image.authors'] ?? labels['maintainer'];
  return typeof label === 'string' ? label : '';
}

function jsonObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    // jsonb stores no NUL; a config that holds one keeps its bytes and merely shows no attributes.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (text.includes('\\u0000')) return undefined;
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
