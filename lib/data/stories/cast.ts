/**
 * Who is in a story and what they have: chosen once, the same until its end.
 *
 * @module
 */

import type { Random } from "../../random.ts";
import { choose, type Slots } from "./grammar.ts";
import {
  ANIMALS,
  CHILDREN,
  type Gender,
  GROWN_UPS,
  KINDS,
  LOOKS,
  PRONOUNS,
  TOWN,
  WEATHER,
  WOODS,
} from "./words.ts";

/** Whom a plot can happen to. */
export type Cast = "children" | "animals" | "anyone";

/** Fills the names that every story knows. */
export function meet(cast: Cast, random: Random): Slots {
  const animals = cast === "animals" ||
    (cast === "anyone" && random.uniform() < 0.4);
  const world = animals ? WOODS : TOWN;
  const hero = character(animals, random);
  const friend = other(hero, () => character(animals, random));
  const parent = gender(random);
  const [spot, wrong] = two(world.spots, random);
  return {
    ...PHRASES,
    ...choose(world.places, random),
    ...choose(WEATHER, random),
    hero: hero.name,
    boy: hero.kind,
    ...pronouns("", hero.gender),
    friend: friend.name,
    fboy: friend.kind,
    ...pronouns("f", friend.gender),
    parent: choose(GROWN_UPS[parent], random),
    ...pronouns("p", parent),
    home: choose(world.homes, random),
    hobby: choose(world.hobbies, random),
    toy: choose(world.toys, random),
    look: choose(LOOKS, random),
    snack: choose(world.snacks, random),
    spot,
    wrong,
  };
}

interface Character {
  readonly name: string;
  readonly kind: string;
  readonly gender: Gender;
}

function character(animal: boolean, random: Random): Character {
  const who = gender(random);
  const name = choose((animal ? ANIMALS : CHILDREN)[who], random);
  const child = who === "he" ? "boy" : "girl";
  return { name, kind: animal ? choose(KINDS, random) : child, gender: who };
}

function gender(random: Random): Gender {
  return random.uniform() < 0.5 ? "he" : "she";
}

function other(hero: Character, draw: () => Character): Character {
  const friend = draw();
  const same = friend.name === hero.name ||
    (friend.kind === hero.kind && KINDS.includes(hero.kind));
  return same ? other(hero, draw) : friend;
}

function two<T>(items: readonly T[], random: Random): [T, T] {
  const first = random.integer(items.length);
  const step = 1 + random.integer(items.length - 1);
  return [items[first], items[(first + step) % items.length]];
}

function pronouns(prefix: string, who: Gender): Slots {
  const [he, him, his] = PRONOUNS[who];
  return {
    [`${prefix}he`]: he,
    [`${prefix}him`]: him,
    [`${prefix}his`]: his,
    [`${prefix}himself`]: who === "he" ? "himself" : "herself",
  };
}

/** Phrases that many plots use. */
const PHRASES: Slots = {
  intro: `[Once upon a time, there was a {small} {boy} named {hero}.
    [{He} lived in {home}.|{He} loved to {hobby}.|]|
    {hero} was a {small} {boy}
    who [lived in {home}|loved to {hobby}|liked to {hobby}].|
    A {small} {boy} named {hero} lived in {home}.
    [{He} loved to {hobby}.|Every day, {he} liked to {hobby}.|]|
    There once was {a boy} named {hero} who loved to {hobby}.]
    [{aside}||]`,
  pair: `[{hero} and {friend} were [good|best] friends.
    [They lived near {place}.|They loved to {hobby}.|]|
    Once upon a time, there was a {small} {boy} named {hero}.
    {He} had a [good|best] friend named {friend}.|
    {hero} was {a boy} and {friend} was {a fboy}.
    They were [good|best] friends.|
    {hero} had a friend named {friend}. [They loved to {hobby}.|
    Every day, they played [together|{inplace}].]]`,
  small: `[little|little|small|kind|young|happy]`,
  day: `[One|One|One {sunny}] [day|morning|afternoon]`,
  sky: `[{sun}.|{sun} and {air}.|{sun}, and {air}.|
    It was a {sunny} day and {air}.|It was a {sunny} day.]`,
  air: `[the birds were singing|the grass was [soft|green|wet]|
    the air smelled of [flowers|grass|rain]|
    a [bird|butterfly|bee] flew by|the trees were [tall|green]]`,
  asked: `[{he} asked|{he} asked|asked {hero}|{hero} asked]`,
  said: `[{he} said|{he} said|said {hero}|{hero} said]`,
  fasked: `[{fhe} asked|asked {friend}|{friend} asked]`,
  fsaid: `[{fhe} said|said {friend}|{friend} said]`,
  pasked: `[{phe} asked|asked {his} {parent}|{his} {parent} asked]`,
  psaid: `[{phe} said|said {his} {parent}|{his} {parent} said]`,
  aside: `[{hero} [wore|had|always wore|liked to wear]
    {a look} [hat|coat|scarf].|
    {His} favorite food was {a snack}.|
    {hero} and {his} {parent} were always together.|
    {His} {parent} told {him} a story every night.|
    Everyone knew {hero} and {his} {parent}.|
    {He} had {a look} {toy} that {he} liked [very much|a lot].|
    {He} wanted to go to {place} every day.]`,
  happy: `[happy|glad|very happy|so happy|full of joy]`,
  sad: `[sad|upset|very sad|so sad|worried]`,
  psmiled: `[smiled|laughed|nodded|gave {hero} a [big|warm] hug]`,
  end: `[That night, {hero} [slept well|had a sweet dream|
    went to bed with a smile|dreamed of {place}].|
    It was [a very good day|the best day of all|a day to remember]
    [for {hero}|for {hero} and {his} {parent}|].|
    {hero} was {happy}.|And {hero} was {happy}.|
    {hero} smiled all the way home[| from {place}].|
    {hero} told {his} {parent} all about it.|
    {hero} and {his} {parent} [sat|walked|went home] together and
    [ate {a snack}|looked at the sky|sang a song|laughed].|
    {hero} had {a snack} and [went to sleep|felt {happy}].|
    {His} {parent} was proud of {him}.]`,
  friends: `[{hero} and {friend} [played|laughed|sang|danced]
    until [the sun went down|the moon came out|it was time for dinner].|
    {hero} and {friend} were {happy}.|
    They held hands and went home together.|
    They ate {a snack} and [laughed|sang|looked at the sky].|
    {hero} and {friend} [went to {place}|played together|did it again]
    the next day.|
    {friend} [smiled at|hugged|thanked] {hero}, and {hero}
    [smiled too|laughed|felt {happy}].|
    The two friends went home with big smiles.]`,
};
