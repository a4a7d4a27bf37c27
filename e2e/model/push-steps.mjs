import { expectOutcome, REFUSED } from './outcome.mjs';

const OVER_QUOTA = 403;

/** Pushes an image, an index with its images, or a signature, blob by blob as clients do, until something refuses. */
export async function push(world) {
  const { random, content } = world;
  const project = world.someProject();
  const actor = world.someone(project);
  const name = world.someRepositoryName(project);
  const item = random.pick(random.pick([content.images, content.images, content.indexes, content.signatures]));
  const tag = random.happens(0.7) ? world.someTag() : undefined;
  for (const child of item.children) if (!(await pushOne(world, project, actor, name, child))) return `push of a child into ${name} by ${actor.name}, refused`;
  const done = await pushOne(world, project, actor, name, item, tag);
  return `push of ${item.digest.slice(7, 15)} into ${name}:${tag} by ${actor.name}${done ? '' : ', refused'}`;
}

async function pushOne(world, project, actor, name, item, tag) {
  for (const blob of item.blobs) if (!(await uploadBlob(project, actor, name, blob))) return false;
  return putManifest(project, actor, name, item, tag);
}

async function uploadBlob(project, actor, name, blob) {
  if (project.repositories.get(name)?.blobs.has(blob.digest) && project.mayPush(actor.name)) return true;
  const status = await actor.uploadBlob(name, blob);
  const what = `upload of ${blob.digest} into ${name} by ${actor.name}`;
  if (!project.mayPush(actor.name)) {
    expectOutcome(what, status, REFUSED);
    return false;
  }
  const cost = project.cost([[blob.digest, blob.size]]);
  // Whether bytes that the project holds already are taken while it is full is the server's choice.
  const full = !project.hasRoomFor(Math.max(cost, blob.size));
  expectOutcome(what, status, !project.hasRoomFor(cost) ? OVER_QUOTA : full ? [201, OVER_QUOTA] : 201);
  if (status === 201) project.openRepository(name).blobs.set(blob.digest, blob.size);
  return status === 201;
}

/** Pushes a manifest alone: also one whose blobs are gone, or another tag for one that is there. */
async function putManifest(project, actor, name, item, tag) {
  const status = await actor.putManifest(name, tag ?? item.digest, item);
  const what = `manifest ${item.digest} into ${name}:${tag} by ${actor.name}`;
  if (!project.mayPush(actor.name)) {
    expectOutcome(what, status, REFUSED);
    return false;
  }
  const repository = project.repositories.get(name);
  if ((repository ? repository.missingFor(item) : [...item.blobs, ...item.children]).length > 0) {
    // What was there a moment ago is looked for first, and may be too much already.
    const full = repository && !project.hasRoomFor(project.cost(repository.recalledFor(item)));
    expectOutcome(what, status, full ? [400, 404, OVER_QUOTA] : [400, 404]);
    return false;
  }
  const links = repository ? repository.linksFor(item) : [[item.digest, item.size]];
  if (!project.hasRoomFor(project.cost(links))) {
    expectOutcome(what, status, OVER_QUOTA);
    return false;
  }
  expectOutcome(what, status, 201);
  const opened = project.openRepository(name);
  project.put(opened, item);
  if (tag !== undefined) opened.point(tag, item.digest);
  return true;
}

/** Tags again what a repository holds, or tries what it does not hold (any more). */
export async function retag(world) {
  const found = world.someRepository();
  if (!found) return 'nothing to tag';
  const { project, repository } = found;
  const actor = world.someone(project);
  const { images, indexes, signatures } = world.content;
  const item = world.random.happens(0.7) ? world.random.pick(repository.manifests.values()) : world.random.pick([...images, ...indexes, ...signatures]);
  const tag = world.someTag();
  const done = await putManifest(project, actor, repository.name, item, tag);
  return `tag ${repository.name}:${tag} by pushing ${item.digest.slice(7, 15)} by ${actor.name}${done ? '' : ', refused'}`;
}

/** Mounts a blob from another repository, or tries to. */
export async function mount(world) {
  const found = world.someRepository((repository) => repository.blobs.size > 0);
  if (!found) return 'nothing to mount';
  const source = found.project;
  const target = world.someProject();
  const actor = world.someone(target);
  const name = world.someRepositoryName(target);
  const [digest, size] = world.random.pick(found.repository.blobs);
  const status = await actor.mountBlob(name, digest, found.repository.name);
  const what = `mount of ${digest} from ${found.repository.name} into ${name} by ${actor.name}`;
  if (!target.mayPush(actor.name)) {
    expectOutcome(what, status, REFUSED);
    return `${what}, refused`;
  }
  if (!source.mayPull(actor.name)) {
    expectOutcome(what, status, REFUSED);
    return `${what}, not from there`;
  }
  const cost = target.cost([[digest, size]]);
  expectOutcome(what, status, !target.hasRoomFor(cost) ? OVER_QUOTA : target.hasRoomFor(Math.max(1, cost)) ? 201 : [201, OVER_QUOTA]);
  if (status === 201) target.openRepository(name).blobs.set(digest, size);
  return what;
}
