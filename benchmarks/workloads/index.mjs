import { smallArtifacts } from './artifacts.mjs';
import { mebibyteBlob } from './blob.mjs';
import { catalogPage } from './catalog.mjs';
import { manifestByTag } from './manifest.mjs';
import { largePull } from './pull.mjs';
import { largePush } from './push.mjs';
import { tagsPage } from './tags.mjs';

/** In the order in which they run. Bulk data comes last: nothing before it should pay for it. */
export const WORKLOADS = [manifestByTag, mebibyteBlob, largePull, largePush, smallArtifacts, tagsPage, catalogPage];
