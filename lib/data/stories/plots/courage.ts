/**
 * Stories about being small, afraid or not yet able.
 *
 * @module
 */

import type { Plot } from "./plot.ts";

/** A fear, and what was behind it. */
export const FEAR: Plot = {
  cast: "anyone",
  scenes: [
    {
      fear: "the dark",
      when: "At night, it was very dark",
      brave: "looked out and saw the bright moon",
      truth: "the stars were like little lamps",
    },
    {
      fear: "thunder",
      when: "Boom! Boom! It was loud outside",
      brave: "counted to ten and sang a song",
      truth: "it was only a big noise",
    },
    {
      fear: "the water",
      when: "All the others were in the water",
      brave: "put in one foot, and then the other",
      truth: "the water was nice and warm",
    },
    {
      fear: "high places",
      when: "The slide was very, very tall",
      brave: "went up step by step and did not look down",
      truth: "going down was like flying",
    },
    {
      fear: "big dogs",
      when: "A big brown dog came near",
      brave: "held out one hand, and the dog sat down",
      truth: "the dog only wanted to play",
    },
    {
      fear: "monsters",
      when: "There was a strange shape by the wall",
      brave: "took a lamp and went to see",
      truth: "it was only an old coat",
    },
  ],
  paragraphs: [
    `{intro} But {hero} was afraid of {fear}. [{He} did not tell anyone.|
    It made {him} feel small.|]
    [{day}, {hero} and {his} {parent} were [together|{inplace}].|
    {day}, {his} {parent} was with {him}.|] {when}.
    ["I am scared," said {hero}.|{hero} began to shake.|
    {hero} closed {his} eyes.|{hero} wanted to run away.]`,
    `["Do not be afraid," said {his} {parent}. "I am here with you."|
    "I was scared too when I was little," said {his} {parent}.|
    "Take my hand," said {his} {parent}. "We will do it together."|
    {His} {parent} held {his} hand. "You can be brave," {psaid}.]
    [{hero} took a deep breath.|{hero} thought about it.|
    "I will try," said {hero}.] [{His} heart went fast.|]
    [Then {he}|Slowly, {he}|Then, very slowly, {he}] {brave}.`,
    `[It was not so bad!|And what did {he} see?|{He} opened {his} eyes wide.]
    [{hero} saw that {truth}.|"Oh!" {said}. Now {he} saw that {truth}.|Now {he}
    knew that
    {truth}.]
    ["I did it!" [said|shouted] {hero}.|"I am not scared now!" said {hero}.|]
    ["I am proud of you," said {his} {parent}.|
    {His} {parent} {psmiled}.|"You are so brave," said {his} {parent}.|]
    [{hero} was not afraid of {fear} anymore.|
    After that, {hero} was not afraid of {fear}.|
    {hero} learned that being brave means to try.|{end}]`,
  ],
};

/** Something is hard at first. */
export const LEARNING: Plot = {
  cast: "anyone",
  scenes: [
    { skill: "swim", fail: "went under the water", win: "{he} could float" },
    { skill: "whistle", fail: "made no sound", win: "there was a clear note" },
    { skill: "jump rope", fail: "fell over", win: "{he} jumped ten times" },
    { skill: "ride a bike", fail: "fell off", win: "{he} did not fall" },
    {
      skill: "catch a ball",
      fail: "missed",
      win: "the ball was in {his} hands",
    },
    { skill: "skate", fail: "fell down", win: "{he} went round and round" },
    { skill: "fly a kite", fail: "could not hold it", win: "it flew up high" },
  ],
  paragraphs: [
    `{intro} {hero} wanted to learn how to {skill}. [{His} friend {friend} could
    do it well.|
    All {his} friends could do it.|It looked like so much fun.|
    "I wish I could {skill}," {he} told {his} {parent}.|
    "Will you teach me?" {he} asked {his} {parent}.]`,
    `{day}, {he} tried. [But {he}|{He}] {fail}. {He} tried again, [and|but]
    {he} {fail} again. ["I can not do it," said {hero}.|
    "This is too hard," said {hero}.|{hero} was {sad}.]
    [{His} friend {friend} said, "Do not give up. Try again."|
    "Keep trying," said {his} {parent}. "You will learn."|
    "It takes time," said {his} {parent}.|
    "It was hard for me too," said {his} friend {friend}. "I will help you."]
    [So {hero} tried every day.|{hero} tried again and again.|
    The next day, {hero} tried once more.]`,
    `[Then one day,|At last,|And then,] {win}! "Look! I can {skill}!"
    [{he} shouted|said {hero}|shouted {hero}].
    [Everyone clapped.|{His} friend {friend} clapped and danced.|
    {His} {parent} {psmiled}.|"I knew you could do it," said {his} {parent}.|
    "[Well done|Good job|Hooray]!" said {his} {parent}.]
    [{hero} was {happy} that {he} did not give up.|
    {hero} learned to keep trying.|
    Now {hero} could {skill} every day.|{end}]`,
  ],
};

/** The smallest one does what the big ones can not. */
export const SMALL_HERO: Plot = {
  cast: "animals",
  scenes: [
    {
      boy: "mouse",
      fboy: "bear",
      item: "key",
      gap: "hole",
      where: "in the wall",
    },
    {
      boy: "frog",
      fboy: "cat",
      item: "ring",
      gap: "tiny cave",
      where: "by the river",
    },
    { boy: "bug", fboy: "duck", item: "bell", gap: "hole", where: "in a log" },
    {
      boy: "mouse",
      fboy: "elephant",
      item: "ball",
      gap: "small cave",
      where: "under a hill",
    },
    {
      boy: "snail",
      fboy: "owl",
      item: "crown",
      gap: "hole",
      where: "in a rock",
    },
  ],
  paragraphs: [
    `Once upon a time, there was a very small {boy} named {hero}. {hero} was
    smaller than all the others. ["You are too little to play," they said.|
    The big animals laughed at {him}.|"I wish I was big," said {hero}.]
    [{He} was {sad}.|It made {him} feel bad.|
    But {his} {parent} said, "You are just right."]`,
    `{day}, {friend} the {fboy} lost {a look} {item}. It fell into {a gap}
    {where}.
    [{friend} tried to get it, but {fhe} was too big.|
    They tried to get it with a stick, but the stick was too short.|
    "I can not reach it!" said {friend}.|Everyone tried, but no one could
    reach it.] [{friend} began to cry.|{friend} was {sad}.|]
    ["I can do it," said {hero}.|"Let me try," said {hero}.|
    Then {hero} said, "I am small. I can get it."]`,
    `{hero} went into the {gap}. [It was dark inside, but {he} was brave.|
    Everyone waited.|{He} went down and down.|]
    [Soon|Then|After a while], {he} came out with the {item}.
    ["You did it!" said {friend}.|"Hooray for {hero}!" they all shouted.|
    "Thank you, {hero}!" said {friend}. "You are a hero!"]
    ["We are sorry that we laughed," they said.|
    {friend} gave {him} {a snack}.|] [Now everyone wanted to play with {hero}.|
    {hero} was small, but {he} felt very big.|
    {hero} learned that it is good to be small.|{friends}]`,
  ],
};
