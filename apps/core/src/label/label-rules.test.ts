import { describe, expect, test } from '@jest/globals';
import { labelScope, labelText } from './label-rules.js';

const refused = expect.objectContaining({ code: 'BAD_REQUEST' });

describe('labelScope', () => {
  test('is the installation or one project', () => {
    expect(labelScope('g', 7)).toEqual({ scope: 'g' });
    expect(labelScope('p', 7)).toEqual({ scope: 'p', projectId: 7 });
  });

  test.each([[undefined, 7], ['', 7], ['G', undefined], ['gp', 1], ['p', undefined], ['p', 0]])('%j with project %j is refused', (scope, projectId) => {
    expect(() => labelScope(scope, projectId)).toThrow(refused);
  });
});

describe('labelText', () => {
  test('keeps what is left out', () => {
    expect(labelText({ color: '#FFF' }, { name: 'stable', description: 'd', color: '' })).toEqual({ name: 'stable', description: 'd', color: '#FFF' });
    expect(labelText({ name: 'x', color: 'red' })).toEqual({ name: 'x', description: '', color: 'red' });
  });

  test.each([{}, { name: '' }, { name: 'x'.repeat(129) }, { name: 'x', color: 'url(//evil)' }, { name: 'x', color: '#12' }, { name: 'x', color: 'red;' }])('%j is refused', (request) => {
    expect(() => labelText(request)).toThrow(refused);
  });
});
