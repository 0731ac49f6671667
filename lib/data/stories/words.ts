/**
 * Who and what the stories are about.
 *
 * @module
 */

/** A name and the pronouns that go with it. */
export type Gender = "he" | "she";

/** The slots that pronouns fill, for a hero (`he`, `him`, `his`, …). */
export const PRONOUNS: Readonly<
  Record<Gender, readonly [he: string, him: string, his: string]>
> = {
  he: ["he", "him", "his"],
  she: ["she", "her", "her"],
};

/** Children, and whether each is he or she. */
export const CHILDREN: Readonly<Record<Gender, readonly string[]>> = {
  he: words("Tom Ben Max Sam Tim Jack Leo Finn Joe Oscar Billy Dan Peter Adam"),
  she: words("Lily Mia Anna Sue Lucy Emma Rosie Zoe Molly Amy Ella Nora Kate"),
};

/** Animals that can talk, and whether each is he or she. */
export const ANIMALS: Readonly<Record<Gender, readonly string[]>> = {
  he: words("Pip Rusty Bo Nibbles Hoppy Button Teddy"),
  she: words("Dot Daisy Fluffy Coco Honey Bella Sunny"),
};

/** What talking animals are. */
export const KINDS: readonly string[] = words(
  "rabbit fox bear mouse duck frog squirrel owl hedgehog elephant turtle cat",
);

/** Grown-ups by what a child calls them. */
export const GROWN_UPS: Readonly<Record<Gender, readonly string[]>> = {
  he: ["dad", "grandpa"],
  she: ["mom", "mom", "grandma"],
};

/** A place to go to, and how one is there. */
export interface Place {
  readonly place: string;
  readonly inplace: string;
}

/** What differs between the stories of children and those of animals. */
export interface World {
  readonly places: readonly Place[];
  readonly homes: readonly string[];
  readonly hobbies: readonly string[];
  readonly toys: readonly string[];
  readonly snacks: readonly string[];
  readonly spots: readonly string[];
}

/** Where children live and play. */
export const TOWN: World = {
  places: [
    { place: "the park", inplace: "in the park" },
    { place: "the garden", inplace: "in the garden" },
    { place: "the beach", inplace: "at the beach" },
    { place: "the playground", inplace: "at the playground" },
    { place: "the yard", inplace: "in the yard" },
    { place: "the lake", inplace: "by the lake" },
    { place: "the field", inplace: "in the field" },
  ],
  homes: [
    "a small house",
    "a house near the park",
    "a house with a red door",
    "a little town",
    "a house on a hill",
    "a house by the sea",
  ],
  hobbies: [
    "play outside",
    "sing songs",
    "draw pictures",
    "run and jump",
    "look at the clouds",
    "read books",
    "dance",
    "climb trees",
    "ask questions",
  ],
  toys: [
    "ball",
    "doll",
    "kite",
    "toy car",
    "toy boat",
    "teddy bear",
    "drum",
    "book",
    "hat",
    "scarf",
    "toy train",
    "bell",
    "bucket",
    "umbrella",
  ],
  snacks: [
    "apple",
    "cookie",
    "sandwich",
    "pear",
    "orange",
    "muffin",
    "banana",
    "piece of cake",
  ],
  spots: [
    "under the bed",
    "behind the door",
    "under the table",
    "in the garden",
    "behind the big chair",
    "in the kitchen",
    "under a blanket",
    "in the bath",
    "next to the tree",
    "inside a box",
  ],
};

/** Where animals live and play. */
export const WOODS: World = {
  places: [
    { place: "the forest", inplace: "in the forest" },
    { place: "the meadow", inplace: "in the meadow" },
    { place: "the pond", inplace: "by the pond" },
    { place: "the river", inplace: "by the river" },
    { place: "the hill", inplace: "on the hill" },
    { place: "the field", inplace: "in the field" },
  ],
  homes: [
    "a big forest",
    "a hole under a tree",
    "a little house in the woods",
    "a green meadow",
    "a small cave",
    "a nest of leaves",
  ],
  hobbies: [
    "play in the grass",
    "sing songs",
    "run and jump",
    "look at the clouds",
    "dance",
    "roll down the hill",
    "ask questions",
    "smell the flowers",
  ],
  toys: [
    "ball",
    "kite",
    "hat",
    "scarf",
    "drum",
    "bell",
    "shell",
    "basket",
    "toy boat",
    "umbrella",
  ],
  snacks: [
    "apple",
    "carrot",
    "nut",
    "pear",
    "berry",
    "honey cake",
    "muffin",
    "acorn",
  ],
  spots: [
    "under a leaf",
    "behind a rock",
    "in the tall grass",
    "next to an old log",
    "under a bush",
    "in a hole",
    "by the water",
    "behind the big tree",
    "in the mud",
  ],
};

/** Colours and the like, for things. */
export const LOOKS: readonly string[] = words(
  "red blue green yellow orange pink purple shiny new old little white",
);

/** A kind of day, and a sentence about it without its full stop. */
export const WEATHER: readonly {
  readonly sunny: string;
  readonly sun: string;
}[] = [
  { sunny: "sunny", sun: "The sun was [bright|warm|shining]" },
  { sunny: "warm", sun: "The sun was [high|warm|shining]" },
  { sunny: "bright", sun: "The sky was [blue|clear]" },
  { sunny: "windy", sun: "The wind was [strong|loud]" },
  { sunny: "cloudy", sun: "There were [white|big] clouds in the sky" },
  { sunny: "quiet", sun: "The wind was soft" },
  { sunny: "cool", sun: "The sky was [white|clear]" },
];

function words(list: string): readonly string[] {
  return list.split(" ");
}
