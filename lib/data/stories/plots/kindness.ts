/**
 * Stories about being kind.
 *
 * @module
 */

import type { Plot } from "./plot.ts";

/** A small creature is in trouble and is helped. */
export const HELPING: Plot = {
  cast: "anyone",
  scenes: [
    {
      one: "bird",
      trouble: "had fallen from its nest",
      help: "put the bird back in its nest",
      gift: "sang a sweet song",
    },
    {
      one: "bee",
      trouble: "had fallen in the water",
      help: "held out a leaf, and the bee climbed on it",
      gift: "danced in the air",
    },
    {
      one: "butterfly",
      trouble: "was stuck in a web",
      help: "set the butterfly free",
      gift: "flew around {him} three times",
    },
    {
      one: "fish",
      trouble: "was lying on the sand",
      help: "carried the fish back to the water",
      gift: "jumped high out of the water",
    },
    {
      one: "snail",
      trouble: "was in the middle of the road",
      help: "moved the snail to the green grass",
      gift: "waved its tiny head",
    },
    {
      one: "bug",
      trouble: "was lying on its back",
      help: "turned the bug over",
      gift: "opened its wings and flew away",
    },
  ],
  paragraphs: [
    `{intro} {day}, {hero} was [walking|playing] {inplace}. [{sky}|]
    {He} saw a [little|tiny|small] {one}. The {one} {trouble}.
    [It could not move.|It was {sad}.|It looked scared.|]
    ["Help!" [said|cried] the {one}.|"Please help me," said the {one}.|
    "Oh no!" said {hero}.]`,
    `["Do not worry," said {hero}. "I will help you."|
    {hero} wanted to help. |"I can help you," said {hero}.]
    [{He} was very careful.|{He} thought for a moment.|
    {His} friend {friend} came and asked, "What can we do?"|]
    [Then {he}|{hero}|Slowly, {he}] {help}.
    ["There you go," {said}.|"Are you okay?" {asked}.|]`,
    `[The {one} was {happy}.|The {one} felt much better.]
    ["Thank you! You are so kind," said the {one}.|
    "Thank you," said the {one}. "You are my friend."|
    "You saved me!" said the {one}.|]
    [To say thank you, it|It|Then the {one}] {gift}.
    [{hero} learned that it is good to help others.|
    {hero} learned that even a small one can be a friend.|
    From that day on, {hero} always helped others.|
    The next day, the {one} came back to play.|{end}]`,
  ],
};

/** There is one thing and there are two who want it. */
export const SHARING: Plot = {
  cast: "anyone",
  scenes: [
    { item: "{look} {toy}", use: "play with it", give: "took turns" },
    { item: "{snack}", use: "have some", give: "each had half of it" },
    { item: "{look} {toy}", use: "hold it", give: "played with it together" },
    { item: "bag of candy", use: "have some", give: "ate it together" },
    { item: "{look} swing", use: "have a turn", give: "took turns" },
  ],
  paragraphs: [
    `{pair} {day}, {hero} [got|had] {a item}. [It was from {his} {parent}.|
    {He} was {happy}.|{He} was very proud of it.|]
    {friend} [came to see it|saw it|came over]. ["Can I {use}?"
    {fasked}.|"[Oh|Wow], that is nice. May I {use}, please?" {fasked}.|
    "I want to {use} too," {fsaid}.]`,
    `["No! It is mine!" said {hero}.|{hero} said, "No, it is mine."|
    But {hero} did not want to share. "No," {said}.]
    [{friend} was {sad}.|{friend} looked down.|{friend} went away.|
    {friend} began to cry.]
    [{hero} sat [alone|all by {himself}].|Now {hero} was alone.|]
    [It was not [much |]fun.|{He} did not feel good.|
    {He} was not happy at all.]
    [{His} {parent} said, "It is more fun to share."|
    "Friends share," said {his} {parent}.|
    {hero} thought about {his} friend.|
    "How would you feel?" asked {his} {parent}.]`,
    `[So {hero} went to {friend}.|Then {hero} ran to {friend}.|
    {hero} found {friend} {inplace}.]
    ["I am sorry," {said}. "[You can {use}|Let us share]."|
    "Do you want to {use}?" {asked}. "Yes, please!" said {friend}.|
    "Here," said {hero}. "This is for both of us."]
    They {give}. [It was a lot of fun.|They laughed and laughed.|
    "[Thank you|You are a good friend]," said {friend}.|]
    [{hero} learned that sharing makes friends happy.|
    {hero} learned that it is good to share.|
    After that, {hero} always shared with {friend}.|{friends}]`,
  ],
};

/** Somebody new sits alone. */
export const NEW_FRIEND: Plot = {
  cast: "anyone",
  scenes: [
    { game: "hide and seek", why: "I am new here" },
    { game: "catch", why: "I do not know anyone" },
    { game: "tag", why: "No one plays with me" },
    { game: "a jumping game", why: "I miss my old home" },
    { game: "a guessing game", why: "I am too shy" },
  ],
  paragraphs: [
    `{intro} {day}, {hero} went to {place}. [{sky}|]
    {He} saw a [new|little] {fboy} [under a tree|on a rock|near the path].
    The {fboy} was [all alone|very quiet|looking at the ground].
    [{hero} had never seen {fhim} before.|
    "Who is that?" {hero} asked {his} {parent}.|
    {hero} felt a bit shy.|]`,
    `[{hero} walked over|{hero} went to the {fboy}].
    ["Hi, I am {hero}. What is your name?"|
    "Hello! My name is {hero}. Who are you?"]
    ["I am {friend}," said the {fboy}.|"My name is {friend}," said the {fboy}.]
    ["Why are you sad?" asked {hero}. "{why}," said {friend}.|
    {friend} looked {sad}. "{why}," {fsaid}.]
    ["Do you want to play {game}?" asked {hero}.|
    "Come and play {game} with me," said {hero}.|
    "I will be your friend," said {hero}. "Let us play {game}."]`,
    `[{friend} smiled.|{friend} nodded and jumped up.|
    "Yes!" said {friend}. "I love that!"]
    They played {game} [all day|until it was dark|in the sun|
    and laughed a lot]. [Then {hero} gave {friend} {a snack}.|
    {friend} could run very fast.|{friend} was very good at it.|]
    ["See you tomorrow!" said {hero}.|"Can we play again?" asked {friend}.
    "Of course!" said {hero}.|]
    [From that day on, they were [good|best] friends.|
    After that, {hero} and {friend} played together every day.|
    Now {friend} had a friend, and so did {hero}.|{friends}]`,
  ],
};
