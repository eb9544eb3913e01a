import { parseVmName } from '../model/names.ts';

export interface NamedVm {
  readonly host: string;
  readonly name: string;
  readonly id: string;
}

/** A VM as a command line names it: `HOST/NAME` where that means it alone and can be typed, else `HOST/{GUID}`. */
export function typedName({ host, name, id }: NamedVm, all: readonly NamedVm[]): string {
  const text = `${host}/${name}`;
  const isOnly = all.filter((other) => `${other.host}/${other.name}`.toLowerCase() === text.toLowerCase()).length === 1;
  return isOnly && /^[^\p{C}]+$/u.test(text) && !parseVmName(text).byId ? text : `${host}/{${id}}`;
}
