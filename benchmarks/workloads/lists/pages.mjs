import { LARGE_PROJECT, LARGE_REPOSITORY, SIZES } from './seed.mjs';

const PROJECT = `/projects/${LARGE_PROJECT}`;
const REPOSITORY = `${PROJECT}/repositories/${LARGE_REPOSITORY}`;
const PARTS = 'with_tag=true&with_label=true&with_accessory=true&with_immutable_status=true';
const EVERYBODY = ['admin', 'member', 'anonymous'];
/** Milliseconds that the 95th percentile of one client may take. */
const ARTIFACTS = 50;
const OTHERS = 100;

/**
 * The pages that are read: { title, path, as: who reads it, target, rows: how many it has to have, total: X-Total-Count
 * where it is known }. Pages have a hundred rows unless it says otherwise.
 *
 * @param labels ids of the two labels that many artifacts have
 */
export function pagesOf(labels) {
  return [...artifactPages(labels), ...tagPages(), ...projectPages(), ...repositoryPages(), ...otherPages()];
}

function artifactPages(labels) {
  const page = (title, query, more = {}) => ({ title: `artifacts, ${title}`, path: `${REPOSITORY}/artifacts?${query}`, as: ['member'], target: ARTIFACTS, rows: 100, ...more });
  const total = SIZES.artifacts;
  return [
    page('first 10, as they come', 'page_size=10', { rows: 10, total }),
    page('first 100 with everything', `page_size=100&${PARTS}`, { as: EVERYBODY, total }),
    page('last 100 with everything', `page_size=100&page=${total / 100}&${PARTS}`, { as: EVERYBODY, total }),
    page('sort=push_time', `page_size=100&sort=push_time&${PARTS}`, { total }),
    page('sort=-size', `page_size=100&sort=-size&${PARTS}`, { total }),
    page('q=tags=~8-rc', `page_size=100&q=${encodeURIComponent('tags=~8-rc')}&${PARTS}`),
    page('q=tags=nil', `page_size=100&q=${encodeURIComponent('tags=nil')}&${PARTS}`),
    page('q=labels=(two of them)', `page_size=100&q=${encodeURIComponent(`labels=(${labels.join(' ')})`)}&${PARTS}`),
    page('q=type=CHART', `page_size=100&q=${encodeURIComponent('type=CHART')}&${PARTS}`),
    { title: 'artifacts of a project', path: `${PROJECT}/artifacts?page_size=100&${PARTS}`, as: ['member'], target: ARTIFACTS, rows: 100, total },
  ];
}

function tagPages() {
  const page = (title, query, more = {}) => ({ title: `tags, ${title}`, path: `${REPOSITORY}/tags?page_size=100&${query}`, as: ['member'], target: ARTIFACTS, rows: 100, total: SIZES.tags, ...more });
  return [
    page('first 100', '', { as: EVERYBODY }),
    page('last 100', `page=${SIZES.tags / 100}`),
    page('sort=-version', 'sort=-version'),
    page('sort=-version, last 100', `sort=-version&page=${SIZES.tags / 100}`),
    page('sort=-push_time', 'sort=-push_time'),
    page('sort=-pull_time', 'sort=-pull_time'),
    page('sort=-size', 'sort=-size'),
    page('q=name=~98-rc', `q=${encodeURIComponent('name=~98-rc')}`, { total: 500 }),
  ];
}

function projectPages() {
  const page = (title, query, more = {}) => ({ title: `projects, ${title}`, path: `/projects?page_size=100&${query}`, as: ['admin'], target: OTHERS, rows: 100, ...more });
  return [
    page('first 100', '', { as: EVERYBODY }),
    page('page 20 of those they see', 'page=20', { as: EVERYBODY }),
    page('last full page', `page=${SIZES.projects / 100}`),
    page('name=pay', 'name=pay', { as: EVERYBODY }),
    page('name=00042', 'name=00042', { rows: 1 }),
    page('private ones', 'public=false', { as: ['member'], rows: 2, total: 2 }),
    page('sort=-creation_time', 'sort=-creation_time'),
  ];
}

function repositoryPages() {
  const page = (title, query, more = {}) => ({ title: `repositories, ${title}`, path: `/repositories?page_size=100&${query}`, as: ['admin'], target: OTHERS, rows: 100, ...more });
  return [
    page('first 100', '', { as: EVERYBODY }),
    page('last full page', `page=${SIZES.repositories / 100}`),
    page('q=name=~gateway', `q=${encodeURIComponent('name=~gateway')}`, { as: EVERYBODY }),
    page('sort=name', 'sort=name', { as: EVERYBODY }),
    page('sort=-update_time', 'sort=-update_time'),
    { title: 'repositories of a project with 300', path: '/projects/payments-00006/repositories?page_size=100', as: ['admin'], target: OTHERS, rows: 100 },
  ];
}

function otherPages() {
  const page = (title, path, as, more = {}) => ({ title, path, as, target: OTHERS, ...more });
  return [
    ...['gateway', 'a', 'pay', '00042', 'nothing-like-it'].map((text) => page(`search, q=${text}`, `/search?q=${text}`, EVERYBODY)),
    page('statistics', '/statistics', ['admin', 'member']),
    page('quotas, sort=-used.storage', '/quotas?page_size=100&sort=-used.storage', ['admin'], { rows: 100 }),
    page('audit trail, first 100', '/auditlog-exts?page_size=100', ['admin', 'member'], { rows: 100 }),
    page('audit trail, page 1,000', '/auditlog-exts?page_size=100&page=1000', ['admin'], { rows: 100 }),
    page('audit trail of a project', `${PROJECT}/auditlog-exts?page_size=100`, ['admin'], { rows: 100 }),
    page('audit trail, q=username=…', `/auditlog-exts?page_size=100&q=${encodeURIComponent('username=lists-user-7')}`, ['admin'], { rows: 100 }),
    page('audit trail, q=operation=login', `/auditlog-exts?page_size=100&q=${encodeURIComponent('operation=login')}`, ['admin'], { rows: 100 }),
    page('users, first 100', '/users?page_size=100', ['admin'], { rows: 100 }),
  ];
}
