/**
 * Stories in which something is lost and found.
 *
 * @module
 */

import type { Plot } from "./plot.ts";

/** A toy is gone, and turns up in an odd place. */
export const LOST_TOY: Plot = {
  cast: "anyone",
  scenes: [
    { looked: "looked and looked", how: "with tears in {his} eyes" },
    { looked: "looked everywhere", how: "in a small voice" },
    { looked: "looked high and low", how: "with a sad face" },
  ],
  paragraphs: [
    `{intro} {He} had {a look} {toy}. [It was {his} favorite thing.|
    {He} took it everywhere.|{He} played with it every day.|
    It was a gift from {his} {parent}.]`,
    `{day}, {hero} could not find the {toy}. [{He} was {sad}.|]
    {He} {looked}. [{He} looked {wrong}, but it was not there.|
    "Is it {wrong}?" {asked}. But it was not there.|
    It was not {wrong}.]
    ["Where is my {toy}?" [said {hero} {how}|{hero} asked {how}].|
    "I lost my {toy}," {hero} said {how}.|{hero} began to cry.]
    [{His} {parent} [came to help|heard {him}].
    "[Do not be sad|Let us look together|I will help you]," {psaid}.|
    {His} friend {friend} [came to help|heard {him}].
    "[Do not be sad|Let us look together|I will help you]," {fsaid}.]`,
    `[They looked {spot}.|Then {hero} had an idea. {He} looked {spot}.|
    Then they saw something {spot}.]
    [There it was!|It was the {toy}!|And there was the {look} {toy}!]
    ["I found it!" [said|shouted] {hero}.|"Here it is!" said {hero}.|]
    [{hero} hugged the {toy}.|{hero} jumped up and down.|
    {hero} laughed and held it tight.]
    [After that, {he} always put the {toy} back in its place.|
    From that day on, {he} took good care of it.|{end}]`,
  ],
};

/** A young animal is far from home, and is brought back. */
export const LOST_ANIMAL: Plot = {
  cast: "children",
  scenes: [
    { pet: "kitten", noise: "meow", from: "the farm", mother: "mother cat" },
    { pet: "puppy", noise: "woof", from: "the next house", mother: "old dog" },
    { pet: "duckling", noise: "quack", from: "the lake", mother: "big duck" },
    { pet: "lamb", noise: "baa", from: "the green field", mother: "sheep" },
    { pet: "chick", noise: "peep", from: "the farm", mother: "hen" },
  ],
  paragraphs: [
    `{intro} {day}, {hero} [was walking|went] to {place} with {his} {parent}.
    [{sky}|] [Then {he}|{He}] heard a [small|strange|soft] sound.
    "[{Noise}! {Noise}!|{Noise}!]" [It came from a bush.|
    "What is that?" asked {hero}.|{hero} stopped and looked around.]`,
    `It was a [little|tiny] {pet}. It was [all alone|wet and cold|lost].
    ["Poor {pet}," said {hero}. |]["It wants to go home."|
    "Where is your home?" {asked}.|"Can we help it, {Parent}?" {asked}.]
    [{hero} picked up the {pet} and held it in {his} arms.|
    {hero} gave the {pet} some [milk|food|water].|
    {His} {parent} put the {pet} in a warm blanket.]
    [{His} {parent} said, "[I think|Maybe] it is from {from}."|
    "It must be from {from}," said {his} {parent}.]`,
    `They [walked|went] to {from}. [It was a long way.|]
    [There they saw the {mother}.|The {mother} was there.]
    [The {pet} ran to the {mother}.|
    The {pet} was so happy to see the {mother}.]
    ["Goodbye, little {pet}!" said {hero}.|
    {hero} waved to the little {pet}.|
    "You are home now," {hero} said.]
    [{hero} felt [warm|good] inside.|{hero} was sad and happy at once.|
    {His} {parent} said, "You did a good thing today."|{end}]`,
  ],
};

/** A map, a walk and a treasure that is not gold. */
export const TREASURE: Plot = {
  cast: "anyone",
  scenes: [
    { chest: "box", inside: "{a look} {toy}" },
    { chest: "jar", inside: "a pile of shiny stones" },
    { chest: "bag", inside: "a gold coin" },
    { chest: "box", inside: "a picture of {hero} and {friend}" },
    { chest: "box", inside: "{a snack} for each of them" },
  ],
  paragraphs: [
    `{pair} {day}, [{hero} found an old map {spot}|
    they found a map {spot}|{friend} came to {hero} with a map].
    ["Look! This is a treasure map!" [said|shouted] {hero}.|
    There was a red X on the map.|
    "What is this?" asked {friend}. "It is a map!" said {hero}.]
    ["Let us find the treasure," said {friend}.|
    They wanted to find the treasure.]`,
    `[First|So], they [walked|ran] to {place}. [{sky}|]
    Then they [went over a bridge|walked around a big rock|
    took ten big steps|climbed a hill|went past three trees].
    [At last, they came to a tall tree.|
    "[I am tired|It is too far]," said {hero}. "We are almost there,"
    said {friend}.|{friend} looked at the map again.]
    ["This is the place!" said {hero}.|"Dig here!" said {friend}.|]
    They [dug and dug|dug a hole with their hands].`,
    `[They found a {chest}.|There was {a look} {chest} in the hole.|
    {hero} saw something. It was {a look} {chest}.]
    [{hero} opened it. Inside was|Inside the {chest} was|
    They opened the {chest} and saw] {inside}!
    [A note said, "The best treasure is a friend."|
    "We did it!" they [said|shouted].|"We are rich!" {friend} laughed.|
    "My {parent} put this here for us!" said {hero}.]
    {friends}`,
  ],
};
